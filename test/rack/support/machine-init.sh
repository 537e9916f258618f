#!/bin/bash
# First process of one machine of the rack: machine-init.sh NAME FOLDER, in fresh net, mnt, uts, ipc and pid namespaces.
# Its root is the machine's own one under a writable layer in memory, so every tool runs with its default paths and
# nothing that is written there is seen elsewhere.
set -eu
name=$1 folder=$2
hostname "$name"
mkdir "$folder/root"
mount -t tmpfs -o mode=755 tmpfs "$folder/root"
mkdir "$folder/root/upper" "$folder/root/work" "$folder/root/new"
new=$folder/root/new
# The name of the source is what findmnt shows: the disk on which the root really lies.
mount -t overlay "$(cat "$folder/root-device")" \
  -o "lowerdir=/,upperdir=$folder/root/upper,workdir=$folder/root/work" "$new"
cp -a "$folder/files/." "$new/"
mount -t proc proc "$new/proc"
mount --rbind /dev "$new/dev"
mount -t tmpfs -o mode=755 tmpfs "$new/run"
mount -t tmpfs -o mode=1777 tmpfs "$new/tmp"
# Not the /root of whoever runs the tests: sshd's shells would read its .bashrc.
mount -t tmpfs -o mode=700 tmpfs "$new/root"
until [ -e "$folder/links" ]; do sleep 0.01; done
mount -t sysfs sysfs "$new/sys"

mkdir -p "$new/mnt/old"
cd "$new"
pivot_root . mnt/old
cd /
export PATH=/opt/rack/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
bash /opt/rack/boot.sh
touch "/mnt/old$folder/ready"
umount -l /mnt/old
exec </dev/null >/dev/null 2>&1
# What is left to do for a first process: to reap whoever lost its parent.
while :; do
  sleep 3600 &
  wait $! || :
done
