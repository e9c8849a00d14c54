# SPDX-License-Identifier: LGPL-2.1-or-later
# What the tests share. Each begins with `. ../lib.sh`.
set -euo pipefail

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# The time from which ausearch looks for denials.
begin() { since=$(LC_ALL=C date '+%m/%d/%Y %T'); }

# No denial has a process or a file of ours in it.
require_no_denials() {
    local denials
    # shellcheck disable=SC2086 # date and time are two arguments
    denials=$(LC_ALL=C ausearch --input-logs -m avc,user_avc,selinux_err -ts $since 2>/dev/null || true)
    if grep -E 'dockmgr|unconfined_service_t' <<<"$denials"; then
        fail "SELinux has denied something"
    fi
}

# Files of ours, and those that we write for Docker, have the labels that the policy gives them.
require_labels() {
    local path wrong=
    for path in /etc/docker /etc/yum.repos.d /etc/dockmgrd /var/lib/dockmgrd; do
        if [[ -e $path ]]; then wrong+=$(restorecon -Rnv "$path"); fi
    done
    [[ -z $wrong ]] || fail "restorecon would change: $wrong"
}

status() { busctl call org.dockmgr1 /org/dockmgr1 org.dockmgr1.Manager Status; }
