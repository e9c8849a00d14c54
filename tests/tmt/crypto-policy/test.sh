#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
. ../lib.sh

before=$(update-crypto-policies --show)
trap 'update-crypto-policies --set "$before"' EXIT
update-crypto-policies --set FUTURE
dockmgrctl install --yes
docker version
dockmgrctl uninstall --yes
