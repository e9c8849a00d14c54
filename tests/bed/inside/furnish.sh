#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs in the root tree of a suite and makes an RPM host of it. The files of the host lie already
# in their places, the packages that are on every host in /run/installed.
set -eu

rm -rf /etc/docker /etc/debian_version
# Fedora does not install this plugin of dnf5; it needs createrepo_c.
rm -f /etc/dnf/libdnf5-plugins/local.conf
mkdir -p /etc/yum.repos.d /srv/bed /var/log/journal
[ -e /usr/bin/dnf ] || ln -s dnf5 /usr/bin/dnf

# Each client of TLS reads all authorities, and the internet of a host has one.
sed -i 's/^[^#!]/!&/' /etc/ca-certificates.conf
update-ca-certificates --fresh >/dev/null 2>&1
depmod
# modprobe 28 looks in no other index of the modules that are built in where there is this one, and
# without the kernel's modules.builtin.modinfo it is empty.
rm -f /usr/lib/modules/*/modules.builtin.alias.bin
rpm --initdb
rpm --import /etc/pki/bed/RPM-GPG-KEY-bed
rpm --install --noscripts --notriggers --nosignature /run/installed/*.rpm

# The admins of EL and Fedora are called wheel, those of Debian sudo. Where polkit knows no rules
# in JavaScript yet, they are in the second file.
groupadd --system wheel
for admins in /usr/share/polkit-1/rules.d/50-default.rules \
    /etc/polkit-1/localauthority.conf.d/51-debian-sudo.conf; do
    [ ! -e "$admins" ] || sed -i 's/unix-group:sudo/unix-group:wheel/' "$admins"
done
for user in alice bob; do
    useradd --create-home --shell /bin/bash "$user"
done

systemctl --quiet enable bed-internet.socket bed-registry.service
# What a container does not need, or what fails in it. A fifth of a boot would be spent on it.
systemctl --quiet mask \
    apt-daily-upgrade.timer apt-daily.timer console-getty.service dnf-makecache.timer \
    dev-hugepages.mount docker-registry.service dpkg-db-backup.timer e2scrub_all.timer \
    e2scrub_reap.service fstrim.timer getty.target ldconfig.service networking.service remote-fs.target \
    systemd-binfmt.service systemd-firstboot.service systemd-modules-load.service \
    systemd-pstore.service systemd-remount-fs.service systemd-sysctl.service \
    systemd-timesyncd.service systemd-tmpfiles-clean.timer \
    systemd-tmpfiles-setup-dev-early.service systemd-tmpfiles-setup-dev.service \
    systemd-update-utmp-runlevel.service systemd-update-utmp.service tmp.mount
# Of systemd's own generators, none finds anything to do. They run at each reload of systemd, too.
mkdir -p /etc/systemd/system-generators
for generator in /lib/systemd/system-generators/systemd-*; do
    ln -s /dev/null "/etc/systemd/system-generators/${generator##*/}"
done
