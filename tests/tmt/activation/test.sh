#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
. ../lib.sh

[[ $(getenforce) == Enforcing ]] || fail "SELinux is not enforcing"
begin
systemctl stop dockmgrd.service
status
pid=$(systemctl show --property=MainPID --value dockmgrd.service)
((pid)) || fail "the call has not started the daemon"
label=$(ps --no-headers -o label= "$pid")
[[ $label == *:unconfined_service_t:* ]] || fail "the daemon runs as $label"
dockmgrctl status
rpm --verify dockmgrd dockmgrctl dockmgrd-polkit-rules
require_no_denials
