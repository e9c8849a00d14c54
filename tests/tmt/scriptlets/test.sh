#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
. ../lib.sh

rpm --verify dockmgrd dockmgrctl
getent group dockmgr || fail "the group is missing"

# The catalogue's trigger: a message of ours is explained.
status
journalctl --update-catalog
journalctl --list-catalog | grep 70006dc31bbd4247a4f640e056823f6b ||
    fail "the journal's catalogue does not have our messages"

# A running daemon is another one after an upgrade, a stopped one stays stopped.
before=$(systemctl show --property=MainPID --value dockmgrd.service)
dnf -y reinstall dockmgrd
after=$(systemctl show --property=MainPID --value dockmgrd.service)
((after && after != before)) || fail "reinstalling has not restarted the daemon"
[[ -z $(systemctl list-units --failed --no-legend 'dockmgrd*') ]] || fail "a unit failed"

useradd --groups dockmgr dockmgr-test-member
dnf -y remove dockmgrd
[[ $(getent group dockmgr) == dockmgr:*: ]] || fail "the group has members, or is gone"
[[ -z $(systemctl list-unit-files --no-legend 'dockmgrd*') ]] || fail "a unit is left"
! busctl --system list --no-legend | grep org.dockmgr1 || fail "the bus name is left"
userdel --remove dockmgr-test-member
