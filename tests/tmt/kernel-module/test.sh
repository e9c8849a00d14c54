#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
. ../lib.sh

code=0
dockmgrctl install --yes || code=$?
case $code in
    0)
        docker run --rm hello-world
        dockmgrctl uninstall --yes
        ;;
    28)
        # A cloud image has its modules in kernel-modules-extra or the like.
        echo "The kernel lacks a module, and the refusal says so."
        ;;
    *) fail "installing ended with $code" ;;
esac
