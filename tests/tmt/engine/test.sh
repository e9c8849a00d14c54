#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
. ../lib.sh

[[ $(getenforce) == Enforcing ]] || fail "SELinux is not enforcing"
begin
dockmgrctl install --yes
docker run --rm hello-world
rpm --query gpg-pubkey --qf '%{packager} %{summary}\n' | grep -i docker || fail "Docker's key is not imported"

docker run --detach --name stays alpine sleep 600
dockmgrctl set-mirror https://mirror.gcr.io
dockmgrctl mirrors
[[ $(docker inspect --format '{{.State.Running}}' stays) == true ]] || fail "the container has ended"
docker rm --force stays

require_labels
dockmgrctl uninstall --yes
! rpm --query docker-ce || fail "docker-ce is left"
[[ -d /var/lib/docker ]] || fail "the data is gone"
require_no_denials
