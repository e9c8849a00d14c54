#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
. ../lib.sh

[[ -e /run/ostree-booted ]] || fail "this host is not of an image"
code=0
message=$(dockmgrctl install --yes 2>&1) || code=$?
echo "$message"
((code == 27)) || fail "installing ended with $code in place of 27, UnsupportedPlatform"
grep -i image <<<"$message" || fail "the refusal does not speak of the image"
! compgen -G '/etc/yum.repos.d/docker-ce*' || fail "a repository file is left"
dockmgrctl status
