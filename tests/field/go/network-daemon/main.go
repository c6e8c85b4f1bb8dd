// Command network-daemon does in a kind node what kind's own daemon does, which is not to be had as a Go module. In the
// same pod and by the same settings: the CNI configuration of this node, a route to the pods of each other node,
// masquerading of what leaves the cluster, and NetworkPolicy by the engine of SIG Network, which it keeps running.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

const (
	configurations = "/etc/cni/net.d"
	interval       = 3 * time.Second
	queue          = "100"

	// The words of a CNI configuration; %q is the range of this node's pods.
	network = `{"cniVersion": "0.3.1", "name": "kindnet", "plugins": [
  {"type": "ptp", "ipMasq": false, "mtu": 1500,
   "ipam": {"type": "host-local", "dataDir": "/run/cni-ipam-state", "routes": [{"dst": "0.0.0.0/0"}], "ranges": [[{"subnet": %q}]]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}
]}
`
)

func main() {
	log.SetFlags(log.Ltime)
	if err := serve(); err != nil {
		log.Fatal(err)
	}
}

func serve() error {
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	configuration, err := rest.InClusterConfig()
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(configuration)
	if err != nil {
		return err
	}
	if err := restore(os.Getenv("POD_SUBNET")); err != nil {
		return err
	}
	go keep("kube-network-policies", "--hostname-override="+name, "--nfqueue-id="+queue, "--disable-nri=true",
		"--netfilter-bug-1766-fix=false", "--metrics-bind-address=127.0.0.1:9081")
	known := map[string]string{} // range of pods -> the way to it that was set last
	for ; ; time.Sleep(interval) {
		ctx, done := context.WithTimeout(context.Background(), 10*time.Second)
		nodes, err := client.CoreV1().Nodes().List(ctx, meta.ListOptions{})
		done()
		if err != nil {
			log.Print("nodes: ", err)
			continue
		}
		for _, node := range nodes.Items {
			if err := connect(&node, node.Name == name, known); err != nil {
				log.Printf("%s: %v", node.Name, err)
			}
		}
	}
}

// connect sets the way to the pods of a node, unless it is as it was.
func connect(node *core.Node, own bool, known map[string]string) error {
	pods, address := node.Spec.PodCIDR, internal(node)
	if pods == "" || address == "" || known[pods] == address {
		return nil
	}
	if own {
		// Who calls a pod that is gone is refused at once, instead of waiting.
		if err := run("ip", "route", "replace", "unreachable", pods); err != nil {
			return err
		}
		if err := write(fmt.Sprintf(network, pods)); err != nil {
			return err
		}
	} else if err := run("ip", "route", "replace", pods, "via", address); err != nil {
		return err
	}
	known[pods] = address
	log.Printf("pods of %s: %s via %s", node.Name, pods, address)
	return nil
}

func internal(node *core.Node) string {
	for _, each := range node.Status.Addresses {
		if each.Type == core.NodeInternalIP && !strings.Contains(each.Address, ":") {
			return each.Address
		}
	}
	return ""
}

// write replaces the configuration as a whole: the runtime reads the folder whenever it changes.
func write(text string) error {
	draft := filepath.Join(configurations, ".kindnet")
	if err := os.WriteFile(draft, []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(draft, filepath.Join(configurations, "10-kindnet.conflist"))
}

// restore replaces the chains of ours. Each new connection from or to a pod waits for the engine's verdict, and is dropped
// while none listens; what the node itself sends is allowed. The engine's own rules need CONFIG_NFT_QUEUE; these do not.
func restore(pods string) error {
	judged := "-m conntrack --ctstate NEW -j NFQUEUE --queue-num " + queue
	chains := []struct {
		table, chain string
		rules        []string
	}{
		{"nat", "FIELD-MASQUERADE", []string{
			fmt.Sprintf("-s %s ! -d %s -m addrtype ! --dst-type LOCAL -j MASQUERADE", pods, pods),
		}},
		{"mangle", "FIELD-POLICY", []string{
			"-m addrtype --src-type LOCAL -j RETURN",
			fmt.Sprintf("-s %s %s", pods, judged),
			fmt.Sprintf("-d %s %s", pods, judged),
		}},
	}
	for _, each := range chains {
		text := fmt.Sprintf("*%s\n:%s -\n", each.table, each.chain)
		for _, rule := range each.rules {
			text += fmt.Sprintf("-A %s %s\n", each.chain, rule)
		}
		command := exec.Command("iptables-restore", "--wait", "--noflush")
		command.Stdin = strings.NewReader(text + "COMMIT\n")
		if words, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("iptables-restore: %w: %s", err, words)
		}
		jump := []string{"POSTROUTING", "-j", each.chain}
		if run("iptables", append([]string{"-w", "-t", each.table, "-C"}, jump...)...) != nil {
			if err := run("iptables", append([]string{"-w", "-t", each.table, "-A"}, jump...)...); err != nil {
				return err
			}
		}
	}
	return nil
}

// keep runs a program again whenever it ends.
func keep(name string, arguments ...string) {
	for ; ; time.Sleep(time.Second) {
		command := exec.Command(name, arguments...)
		command.Stdout, command.Stderr = os.Stdout, os.Stderr
		log.Printf("%s: %v", name, command.Run())
	}
}

func run(name string, arguments ...string) error {
	words, err := exec.Command(name, arguments...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(arguments, " "), err, strings.TrimSpace(string(words)))
	}
	return nil
}
