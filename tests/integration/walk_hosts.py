# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random hosts: how the engine runs, where its data is, and what of others is beside it.

Each feature is a script for the host. A script that fails leaves a host that is unusual in another
way, which is as good.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from integration.walk_view import FOREIGN_ADDRESS

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from bed.host import Host

_OF_ENGINE = (
    *("builder", "buildkit", "containerd", "containers", "engine-id", "image", "network"),
    *("overlay2", "plugins", "runtimes", "swarm", "tmp", "trust", "volumes"),
)
_SHARED_ROOTS = ("/srv", "/srv/thesis", "/var/lib")
ENGINE_FOLDERS = (
    *("/var/lib/docker", "/var/lib/containerd", "/srv/docker", "/srv/real", "/srv/containerd"),
    *("/home/someone/docker", "/var/lib/docker-data", "/etc/docker/data", "/srv/volumes"),
    *(f"{root}/{name}" for root in _SHARED_ROOTS for name in _OF_ENGINE),
)
"""Where the engine or containerd of a host below may work."""
_REPOSITORY = f"[docker-ce-stable]\\nname=Mine\\nbaseurl={FOREIGN_ADDRESS}\\nenabled=0\\n"

_DROP_IN = "/etc/systemd/system/docker.service.d/walk.conf"
_CONFIG = "/etc/docker/daemon.json"

# What the scripts below have in common.
_FUNCTIONS = """
config=/etc/docker/daemon.json
units=/etc/systemd/system
root=$(ls -d /srv/docker /home/someone/docker /var/lib/docker 2>/dev/null | head -1)
load() { docker load --input /srv/bed/registry/tiny.tar; }
run() { load; docker run --detach --stop-timeout 1 --volume "$1":/d tiny $2; }
stop() { systemctl stop docker docker.socket; }
bind() { mkdir -p "$2"; mount --bind "$1" "$2"; }
start_by_hand() {
    stop
    systemd-run --unit=by-hand dockerd --host="$1"
    export DOCKER_HOST="$1"
    for try in $(seq 100); do docker info && break; sleep 0.1; done
}
lock() { mkdir -p /etc/dnf/protected.d; echo "$1" >/etc/dnf/protected.d/walk.conf; }
remove_docker() { dnf -y remove docker-ce docker-ce-cli containerd.io; }
import() { ctr --namespace k8s.io images import /srv/bed/registry/tiny.tar; }
"""

# Precious files in many places, before anything else.
_EVERYWHERE = """
cd /srv
mkdir -p thesis certs nas /home/someone/.docker /etc/docker/certs.d/r /var/lib/kubelet
for folder in thesis certs nas /home/someone /home/someone/.docker /var/lib/kubelet
do echo precious >$folder/file; done
echo '{"auths": {}}' >/root/.dockercfg
ln -s /srv/certs /etc/docker/certs.d/linked
echo certificate >/etc/docker/certs.d/r/ca.crt
"""

_PACKAGES: Mapping[str, str] = {
    "nothing else": "",
    "a repository file": f"printf '{_REPOSITORY}' >/etc/yum.repos.d/docker-ce.repo",
    "a repository link": (
        f"printf '{_REPOSITORY}' >/srv/mine.repo;"
        "ln -sf /srv/mine.repo /etc/yum.repos.d/docker-ce.repo"
    ),
    "other programs": "dnf -y install skopeo toolbox",
    "a protected package": "lock containerd.io",
    "no Docker": "remove_docker",
    "no containerd": "rpm -e --nodeps containerd.io",
    "old Docker": "remove_docker; dnf -y install docker",
}

_ROOTS: Mapping[str, tuple[Mapping[str, object], str]] = {
    # Settings of daemon.json, and flags of the unit.
    "default": ({}, ""),
    "daemon.json": ({"data-root": "/srv/docker"}, ""),
    "flag": ({}, "--data-root /srv/docker"),
    "old flag": ({}, "-g /var/lib/docker-data/"),
    "both": ({"data-root": "/srv/real"}, "--data-root=/srv/docker"),
    "home": ({"data-root": "/home/someone/docker"}, ""),
    "inside of the configuration": ({"data-root": "/etc/docker/data"}, ""),
    "folder of others": ({"data-root": "/srv"}, ""),
    "folder with files": ({"data-root": "/srv/thesis"}, ""),
    "parent": ({"data-root": "/var/lib"}, ""),
    "inside of containerd's": ({"data-root": "/var/lib/containerd/docker"}, ""),
    "not a path": ({"data-root": 7}, ""),
}

_ENGINES: Mapping[str, str] = {
    "running": "load",
    "with a volume": "run data true",
    "with a container": "run data 'sleep 600'",
    "with a volume elsewhere": (
        "docker volume create -o type=none -o o=bind -o device=/srv/nas nas; run nas 'sleep 600'"
    ),
    "with live restore": (
        "cat $config; echo '{\"live-restore\": true}' >$config;"
        "systemctl restart docker; run data 'sleep 600'"
    ),
    "stopped with live restore": (
        "echo '{\"live-restore\": true}' >$config;"
        "systemctl restart docker; run data 'sleep 600'; stop"
    ),
    "stopped": "run data true; stop",
    "stopped with containerd": "run data true; stop; systemctl stop containerd",
    "masked": "systemctl mask docker.service",
    "disabled": "systemctl disable --now docker.socket docker",
    "silent": "load; pkill -STOP dockerd",
    "of another unit": "start_by_hand unix:///run/docker.sock; run data 'sleep 600'",
    "on another socket": "start_by_hand unix:///srv/docker.sock; run data 'sleep 600'",
    "killed": "run data 'sleep 600'; systemctl kill --signal=KILL docker; stop",
}

_LINKS: Mapping[str, str] = {
    "none": "",
    "data root": "stop; mv $root /srv/real && ln -s /srv/real $root",
    "volumes": "stop; mv $root/volumes /srv/volumes && ln -s /srv/volumes $root/volumes",
    "data of a volume": ("mkdir -p $root/volumes/mine; ln -s /srv/thesis $root/volumes/mine/_data"),
    "in a volume": (
        "mkdir -p $root/volumes/mine/_data; ln -s /srv/thesis $root/volumes/mine/_data/x"
    ),
    "daemon.json": (
        "mv $config /root/daemon.json || echo '{}' >/root/daemon.json;"
        "ln -s /root/daemon.json $config"
    ),
    "dangling daemon.json": "rm -f $config; ln -s /srv/none $config",
    "configuration": "mv /etc/docker /srv/etc-docker; ln -s /srv/etc-docker /etc/docker",
    "drop-ins": (
        "mkdir -p /srv/drop-ins; echo >/srv/drop-ins/mine.conf; cd $units;"
        "mv docker.service.d/* /srv/drop-ins; rmdir docker.service.d;"
        "ln -s /srv/drop-ins docker.service.d"
    ),
    "a drop-in": (
        "mkdir -p $units/docker.service.d; echo >/srv/mine.conf;"
        "ln -s /srv/mine.conf $units/docker.service.d/mine.conf"
    ),
}

_MOUNTS: Mapping[str, str] = {
    "none": "",
    "in a volume": "bind /srv/nas $root/volumes/m/_data",
    "deep in a volume": "bind /srv/nas $root/volumes/m/_data/a/b",
    "on the volumes": "bind /srv/nas $root/volumes",
    "in the place of a container's": "bind /srv/nas $root/plugins/mine/rootfs",
    "in the configuration": "bind /srv/nas /etc/docker/certs.d/m",
    "on the configuration": "bind /srv/nas /etc/docker",
    "in containerd's": "bind /srv/nas /var/lib/containerd/m",
    "read-only": "mount --bind $root $root; mount -o remount,bind,ro $root",
    "on daemon.json": (
        "touch $config; echo '{}' >/srv/one.json; mount --bind /srv/one.json $config"
    ),
}

_FOREIGN: Mapping[str, str] = {
    "none": "",
    "empty namespace": "ctr namespaces create empty",
    "images": "import",
    "images, stopped": "import; stop; systemctl stop containerd",
    "a task": (
        "import;ctr --namespace k8s.io run --detach docker.io/library/tiny:latest task sleep 600"
    ),
    "content without an image": (
        "echo blob >/tmp/blob; digest=$(sha256sum </tmp/blob | cut -d' ' -f1);"
        "ctr --namespace other content ingest --expected-digest sha256:$digest ref </tmp/blob"
    ),
    "a snapshot": "ctr --namespace other snapshots --snapshotter native prepare mine",
    "another root since": (
        "import; sed -i '1i root = \"/srv/containerd\"' /etc/containerd/config.toml;"
        "systemctl restart containerd docker"
    ),
    "another root by a flag": (
        "mkdir $units/containerd.service.d;"
        "printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/containerd --root /srv/containerd\\n'"
        " >$units/containerd.service.d/walk.conf;"
        "systemctl daemon-reload; systemctl restart containerd docker; import"
    ),
    "a containerd of others": (
        "stop; systemctl stop containerd; cp /usr/bin/containerd /usr/local/bin;"
        "systemd-run --unit=other /usr/local/bin/containerd --address /run/other.sock"
        " --state /run/other; for try in $(seq 100);"
        " do ctr --address /run/other.sock version && break; sleep 0.1; done"
    ),
    "damaged metadata": (
        "stop; systemctl stop containerd;"
        "for file in /var/lib/containerd/*bolt/meta.db; do echo damaged >$file; done"
    ),
}

_DIMENSIONS: Mapping[str, Mapping[str, object]] = {
    "packages": _PACKAGES,
    "data root": _ROOTS,
    "engine": _ENGINES,
    "foreign namespaces": _FOREIGN,
    "links": _LINKS,
    "mounts": _MOUNTS,
}
_USUAL_SHARE = 0.6


@dataclass(frozen=True)
class RandomHost:
    """What is set up on a host, by dimension."""

    features: Mapping[str, str]

    @classmethod
    def choose(cls, chance: random.Random) -> RandomHost:
        features = {}
        for dimension, choices in _DIMENSIONS.items():
            usual, *others = choices
            rare = chance.random() > _USUAL_SHARE
            features[dimension] = chance.choice(others) if rare else usual
        return cls(features)

    def set_up(self, host: Host) -> list[str]:
        """Make the host so; returns a line for each step, with what it printed on failure."""
        settings, flags = _ROOTS[self.features["data root"]]
        host.run("sh", "-c", _EVERYWHERE)
        if settings:
            host.write(_CONFIG, json.dumps(settings))
        if flags:
            start = "/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock"
            host.write(_DROP_IN, f"[Service]\nExecStart=\nExecStart={start} {flags}\n")
        scripts = {
            "data root": "systemctl daemon-reload; systemctl restart docker",
            "engine": _ENGINES[self.features["engine"]],
            "foreign namespaces": _FOREIGN[self.features["foreign namespaces"]],
            "links": _LINKS[self.features["links"]],
            "mounts": _MOUNTS[self.features["mounts"]],
            "packages": _PACKAGES[self.features["packages"]],
        }
        return [
            _run_script(host, f"{name}: {self.features[name]}", script)
            for name, script in scripts.items()
        ]


def _run_script(host: Host, title: str, script: str) -> str:
    done = host.run("sh", "-c", f"{_FUNCTIONS}{script}", check=False)
    if done.returncode == 0:
        return title
    return f"{title} (status {done.returncode}: {done.stderr.strip()[-300:]})"
