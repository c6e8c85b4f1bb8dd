// Command dapr is upstream Dapr in one binary: it becomes the service by whose name it is called.
//
// The services share most of their code, so one binary takes a quarter of the room and of the time to link. Those of the
// control plane are upstream's own, unchanged; the sidecar is its runtime with the components that we use (daprd.go).
// Placement and scheduler serve actors, jobs and workflows, of which we have none.
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	injector "github.com/dapr/dapr/cmd/injector/app"
	operator "github.com/dapr/dapr/cmd/operator/app"
	sentry "github.com/dapr/dapr/cmd/sentry/app"
)

var services = map[string]func(){
	"daprd":    runDaprd,
	"injector": injector.Run,
	"operator": operator.Run,
	"sentry":   sentry.Run,
}

func main() {
	name := filepath.Base(os.Args[0])
	if _, known := services[name]; !known && len(os.Args) > 1 {
		name = filepath.Base(os.Args[1]) // the injector writes /daprd as the first argument
		os.Args = os.Args[1:]
	}
	service, known := services[name]
	if !known {
		names := slices.Sorted(maps.Keys(services))
		fmt.Fprintf(os.Stderr, "%s: unknown service; call me as one of %s\n", name, strings.Join(names, ", "))
		os.Exit(2)
	}
	service()
}
