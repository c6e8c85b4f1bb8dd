// Command storage-provisioner gives each PersistentVolumeClaim of the single node a folder: the default StorageClass.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// Set by the linker where nobody can give a flag.
var defaultDirectory string

func main() {
	kubeconfig := flag.String("kubeconfig", "", "kubeconfig file; empty: the service account of the pod")
	directory := flag.String("directory", defaultDirectory, "absolute path of the folder that holds the volumes")
	flag.Parse()
	if flag.NArg() > 0 || !filepath.IsAbs(*directory) {
		fmt.Fprintln(os.Stderr, "usage: storage-provisioner [--kubeconfig FILE] --directory ABSOLUTE_PATH")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *kubeconfig, filepath.Clean(*directory)); err != nil {
		fmt.Fprintln(os.Stderr, "storage-provisioner:", err)
		os.Exit(1)
	}
}

// serve runs until ctx ends.
func serve(ctx context.Context, kubeconfig, directory string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("kubeconfig: %w", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	controller.NewProvisionController(
		ctx, client, provisionerName, folders{root: directory},
		controller.LeaderElection(false), // the node has one provisioner
	).Run(ctx)
	return nil
}
