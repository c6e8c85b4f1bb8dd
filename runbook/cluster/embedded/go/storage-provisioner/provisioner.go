package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// provisionerName is what a StorageClass writes as its provisioner.
// Set by the linker where the program serves under another name.
var provisionerName = "todo-runbook/folder"

// folders makes and removes one folder below root for each volume.
type folders struct {
	root string
}

// Provision makes the folder and describes it as a hostPath volume.
func (f folders) Provision(
	_ context.Context, options controller.ProvisionOptions,
) (*core.PersistentVolume, controller.ProvisioningState, error) {
	if selector := options.PVC.Spec.Selector; selector != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("claim %s has a selector: unsupported", options.PVC.Name)
	}
	if mode := options.PVC.Spec.VolumeMode; mode != nil && *mode == core.PersistentVolumeBlock {
		return nil, controller.ProvisioningFinished, fmt.Errorf("claim %s wants a block device: unsupported", options.PVC.Name)
	}
	path := filepath.Join(f.root, options.PVName)
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("make the volume's folder: %w", err)
	}
	// Any user of a container may write, as on other local provisioners; MkdirAll's mode is subject to the umask.
	if err := os.Chmod(path, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("open the volume's folder: %w", err)
	}
	return volume(options, path), controller.ProvisioningFinished, nil
}

// Delete removes the folder of a released volume, and nothing outside of root.
func (f folders) Delete(_ context.Context, volume *core.PersistentVolume) error {
	source := volume.Spec.HostPath
	if source == nil || filepath.Clean(source.Path) != filepath.Join(f.root, volume.Name) {
		return &controller.IgnoredError{Reason: "the volume's folder was not made here"}
	}
	if err := os.RemoveAll(source.Path); err != nil {
		return fmt.Errorf("remove the volume's folder: %w", err)
	}
	return nil
}

func volume(options controller.ProvisionOptions, path string) *core.PersistentVolume {
	reclaim := core.PersistentVolumeReclaimDelete
	if options.StorageClass.ReclaimPolicy != nil {
		reclaim = *options.StorageClass.ReclaimPolicy
	}
	exists := core.HostPathDirectory
	return &core.PersistentVolume{
		ObjectMeta: meta.ObjectMeta{Name: options.PVName},
		Spec: core.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: reclaim,
			AccessModes:                   options.PVC.Spec.AccessModes,
			MountOptions:                  options.StorageClass.MountOptions,
			Capacity: core.ResourceList{
				core.ResourceStorage: options.PVC.Spec.Resources.Requests[core.ResourceStorage],
			},
			PersistentVolumeSource: core.PersistentVolumeSource{
				HostPath: &core.HostPathVolumeSource{Path: path, Type: &exists},
			},
		},
	}
}
