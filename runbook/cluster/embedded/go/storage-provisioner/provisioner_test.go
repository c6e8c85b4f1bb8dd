package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	core "k8s.io/api/core/v1"
	storage "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

func claim() *core.PersistentVolumeClaim {
	return &core.PersistentVolumeClaim{
		ObjectMeta: meta.ObjectMeta{Name: "data", Namespace: "todo"},
		Spec: core.PersistentVolumeClaimSpec{
			AccessModes: []core.PersistentVolumeAccessMode{core.ReadWriteOnce},
			Resources: core.VolumeResourceRequirements{
				Requests: core.ResourceList{core.ResourceStorage: resource.MustParse("1Gi")},
			},
		},
	}
}

func options(claim *core.PersistentVolumeClaim) controller.ProvisionOptions {
	return controller.ProvisionOptions{StorageClass: &storage.StorageClass{}, PVName: "pvc-1", PVC: claim}
}

func TestAVolumeIsAFolderThatAnyUserMayWrite(t *testing.T) {
	root := filepath.Join(t.TempDir(), "volumes")
	volume, state, err := folders{root: root}.Provision(context.Background(), options(claim()))
	if err != nil || state != controller.ProvisioningFinished {
		t.Fatalf("state %v, error %v", state, err)
	}
	path := filepath.Join(root, "pvc-1")
	if got := volume.Spec.HostPath.Path; got != path {
		t.Errorf("volume at %s, wanted %s", got, path)
	}
	if size := volume.Spec.Capacity[core.ResourceStorage]; size.String() != "1Gi" {
		t.Errorf("capacity %s, wanted 1Gi", size.String())
	}
	if policy := volume.Spec.PersistentVolumeReclaimPolicy; policy != core.PersistentVolumeReclaimDelete {
		t.Errorf("reclaim policy %s, wanted Delete", policy)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o777 {
		t.Errorf("mode %v, error %v; wanted 0777", info.Mode(), err)
	}
}

func TestClaimsThatAFolderCannotServeAreRefused(t *testing.T) {
	selecting, block := claim(), claim()
	selecting.Spec.Selector = &meta.LabelSelector{}
	mode := core.PersistentVolumeBlock
	block.Spec.VolumeMode = &mode
	for name, refused := range map[string]*core.PersistentVolumeClaim{"selector": selecting, "block": block} {
		root := t.TempDir()
		if _, _, err := (folders{root: root}).Provision(context.Background(), options(refused)); err == nil {
			t.Errorf("%s: provisioned", name)
		}
		if left, _ := os.ReadDir(root); len(left) != 0 {
			t.Errorf("%s: left %v", name, left)
		}
	}
}

func TestDeletingRemovesTheVolumeAndNothingElse(t *testing.T) {
	root := t.TempDir()
	ours := folders{root: root}
	volume, _, err := ours.Provision(context.Background(), options(claim()))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(volume.Spec.HostPath.Path, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}

	foreign := volume.DeepCopy()
	foreign.Spec.HostPath.Path = t.TempDir()
	var ignored *controller.IgnoredError
	if err := ours.Delete(context.Background(), foreign); !errors.As(err, &ignored) {
		t.Errorf("a foreign folder: error %v, wanted it to be ignored", err)
	}
	climbing := volume.DeepCopy()
	climbing.Spec.HostPath.Path = filepath.Join(root, "pvc-1", "..")
	if err := ours.Delete(context.Background(), climbing); !errors.As(err, &ignored) {
		t.Errorf("a folder above: error %v, wanted it to be ignored", err)
	}
	if _, err := os.Stat(foreign.Spec.HostPath.Path); err != nil {
		t.Errorf("the foreign folder is gone: %v", err)
	}

	for range 2 { // a second call finds nothing and is fine
		if err := ours.Delete(context.Background(), volume); err != nil {
			t.Fatal(err)
		}
	}
	if left, _ := os.ReadDir(root); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}
