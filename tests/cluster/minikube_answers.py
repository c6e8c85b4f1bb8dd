"""What a real minikube v1.38.1 answered (docker driver, Docker 20.10 to 28): exit status, standard output and, where it
matters, standard error. Long answers are cut to the fields that are read."""

from __future__ import annotations

import json

from tests.fakes.recorded import Answer

_EVENT = (
    '{{"specversion":"1.0","type":"io.k8s.sigs.minikube.info","datacontenttype":"application/json",'
    '"data":{{"message":{}}}}}'
)
NOT_FOUND = 'Profile "todo" not found. Run "minikube profile list" to view all profiles.'

ABSENT = (
    85,
    "\n".join(
        _EVENT.format(json.dumps(said))
        for said in (NOT_FOUND, 'To start a cluster, run: "minikube start -p todo"')
    ),
)


def _status(host: str, kubernetes: str, kubeconfig: str) -> str:
    return (
        f'{{"Name":"todo","Host":"{host}","Kubelet":"{kubernetes}","APIServer":"{kubernetes}",'
        f'"Kubeconfig":"{kubeconfig}","Worker":false}}\n'
    )


RUNNING = _status("Running", "Running", "Configured")
MISCONFIGURED = (
    4,
    _status("Running", "Running", "Misconfigured"),
    'E1130 20:47:51 status.go:457] kubeconfig endpoint: get endpoint: "todo" does not appear in kubeconfig',
)
HALF = (
    6,
    _status("Running", "Stopped", "Misconfigured"),
)
STOPPED = (
    7,
    _status("Stopped", "Stopped", "Stopped"),
)
UNREADABLE = (
    7,
    "null",
    'status error: host: state: unknown state "todo": docker container inspect todo: exit status 1\n'
    "Error response from daemon: No such container: todo",
)
DOCKER_AWAY = (
    7,
    "null",
    'status error: host: state: unknown state "todo": docker container inspect todo: exit status 1\n'
    "Cannot connect to the Docker daemon at unix:///nonexistent.sock. Is the docker daemon running?",
)

NO_PROFILES = '{"invalid":[],"valid":[]}'


def profiles(installation: str = "", driver: str = "docker") -> str:
    """`profile list`, with the option that labels the node where an installation made the profile."""
    options = (
        [{"Component": "kubelet", "Key": "node-labels", "Value": f"todo.runbook/installation={installation}"}]
        if installation
        else None
    )
    config = {
        "Name": "todo",
        "Driver": driver,
        "Memory": 6144,
        "CPUs": 2,
        "KubernetesConfig": {"ContainerRuntime": "docker", "ExtraOptions": options, "CNI": ""},
    }
    return json.dumps(
        {
            "invalid": [],
            "valid": [{"Name": "todo", "Status": "", "Config": config, "Active": False}],
        }
    )


DELETED = '* Deleting "todo" in docker ...\n* Removed all traces of the "todo" cluster.\n'

DOCKER_ENV = (
    '{"DOCKER_CERT_PATH":"/home/me/.minikube/certs","DOCKER_HOST":"tcp://192.168.49.2:2376","DOCKER_TLS_VERIFY":"1",'
    '"MINIKUBE_ACTIVE_DOCKERD":"todo","MINIKUBE_EXISTING_DOCKER_HOST":"unix:///run/docker.sock","SSH_AGENT_PID":"",'
    '"SSH_AUTH_SOCK":""}\n'
)
SHELL_LINES = 'export DOCKER_TLS_VERIFY="1"\nexport DOCKER_HOST="tcp://192.168.49.2:2376"\n'
"""The answer to --output=json without --shell=none."""
NO_DOCKER_ENV: dict[str, Answer] = {
    "no profile": (85, "false exit code 85\n"),
    "stopped": (83, "false exit code 83\n"),
    "its container is gone": (
        80,
        "false exit code 80\n",
        "X Exiting due to GUEST_STATUS: Unable to get control-plane node todo host status",
    ),
}

LISTED_ID = "6bcb3aa23507f6a8d254e13a1e921548521324077ffe1470fa538c8cf5fcfbef"
LISTED = f'[{{"id":"{LISTED_ID}","repoDigests":[],"repoTags":["docker.io/library/todo-b:1.0.0"],"size":"1430000"}}]\n'
LOAD_OF_NOTHING = (0, "", "! The image 'todo-none:1.0.0' was not found; unable to add it to cache.")
IMAGE_IN_USE = (
    0,
    "",
    "! Failed to remove images for profile todo error removing images: remove image docker: docker rmi todo-b:1.0.0: "
    "Process exited with status 1\nstderr:\nError response from daemon: conflict: unable to remove repository "
    'reference "todo-b:1.0.0" (must force) - container dde095addae8 is using its referenced image 0256a9ccd7e6',
)

TOO_FEW_CORES = (
    29,
    "* [todo] minikube v1.38.1 on Debian 12.11 (docker/amd64)\n* Using the docker driver based on user configuration\n",
    "X Exiting due to RSRC_INSUFFICIENT_CORES: Requested cpu count 4 is greater than the available cpus of 2",
)
AS_ROOT = (
    57,
    "* Using the docker driver based on user configuration\n",
    '* The "docker" driver should not be used with root privileges. If you wish to continue as root, use --force.\n'
    'X Exiting due to DRV_AS_ROOT: The "docker" driver should not be used with root privileges.',
)
ADDON_IMAGE = f"example.org/ingress-nginx/controller:v1.14.3@sha256:{'8' * 64}"
ADDON_IMAGES = json.dumps([ADDON_IMAGE])
"""The form is the real one's; its registry is not."""


def docker_info(cpus: int = 8, megabytes: int = 16000, **more: object) -> str:
    """What `docker info` says of its machine."""
    return json.dumps(
        {"ID": "5e4a", "NCPU": cpus, "MemTotal": megabytes * 1024 * 1024, "Name": "laptop", **more}
    )


DOCKER = docker_info()
NO_DOCKER = (1, '{"ServerErrors":["Cannot connect to the Docker daemon at unix:///run/docker.sock."]}')
