#!/bin/bash
# What a machine of the rack does when it starts: its user, its place on PCIe as sysfs shows it, its services.
set -eu
. /etc/rack.env # ROLE, MACHINE_USER, CARD, SERIAL ...

echo "$MACHINE_USER:x:4242:4242::/home/$MACHINE_USER:/bin/bash" >>/etc/passwd
echo "$MACHINE_USER:x:4242:" >>/etc/group
# A star, not an exclamation mark: no password fits, and the account is not locked.
echo "$MACHINE_USER:*:19000:0:99999:7:::" >>/etc/shadow
mkdir -p "/home/$MACHINE_USER" /run/sshd /run/lock
chown 4242:4242 "/home/$MACHINE_USER"

# over FOLDER: the real folder of sysfs with what is put into $upper laid over it.
over() { mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$1"; }
layer() {
  mkdir -p /run/sysfs
  mountpoint -q /run/sysfs || mount -t tmpfs tmpfs /run/sysfs
  mkdir -p "/run/sysfs/$1/upper" "/run/sysfs/$1/work"
  echo "/run/sysfs/$1"
}

# place LINK BUS FUNCTION VENDOR DEVICE DRIVER: a network link as sysfs shows it on a host, on a PCI function. Links of
# veth are "virtual" there, and dpubot asks what stands on which device.
place() {
  local device=devices/pci$2/$2:01.0/$3 upper=$at/upper
  mkdir -p "$upper/$device/net/$1" "$upper/bus/pci/devices" "$upper/bus/pci/drivers/$6" "$upper/class/net"
  ln -s "../../../$device" "$upper/bus/pci/devices/$3"
  ln -s "../../../../$device" "$upper/bus/pci/drivers/$6/$3"
  ln -s "../../$device/net/$1" "$upper/class/net/$1"
  echo "$4" >"$upper/$device/vendor"
  echo "$5" >"$upper/$device/device"
  echo 0x020000 >"$upper/$device/class"
  echo -1 >"$upper/$device/numa_node"
  cat /sys/devices/system/cpu/online >"$upper/$device/local_cpulist"
  echo '32.0 GT/s PCIe' | tee "$upper/$device/current_link_speed" >"$upper/$device/max_link_speed"
  echo 16 | tee "$upper/$device/current_link_width" >"$upper/$device/max_link_width"
  echo "/sys/devices/virtual/net/$1 /sys/$device/net/$1" >>/run/placed
}
# The driver of the card, as both sides have it; modinfo is a stub.
driver() {
  mkdir -p "$1/mlx5_core"
  echo 24.10-2.1.8 >"$1/mlx5_core/version"
}
if [ "$ROLE" = host ]; then
  at=$(layer sys)
  driver "$at/upper/module"
  place oob0 0000:c0 0000:c1:00.0 0x8086 0x1521 igb
  place ens1f0np0 0000:e0 "$PCI_CARD.0" 0x15b3 0xa2dc mlx5_core
  place ens1f1np1 0000:e0 "$PCI_CARD.1" 0x15b3 0xa2dc mlx5_core
  over /sys "$at"
  while read -r real place; do mount --bind "$real" "$place"; done </run/placed
else
  at=$(layer module)
  driver "$at/upper"
  over /sys/module "$at"
  for number in 0 1; do
    at=$(layer "p$number")
    ln -s "../../../$PCI_CARD.$number" "$at/upper/device"
    over "/sys/devices/virtual/net/p$number" "$at"
  done
fi

# OVS has packets of a veth without their checksums, and sends them on as they are: the far end drops TCP. A card
# computes them; here the host does.
if [ "$ROLE" = host ]; then
  for link in ens1f0np0 ens1f1np1; do ethtool -K "$link" tx off tso off gso off >/dev/null 2>&1; done
fi

/usr/sbin/sshd -E /run/sshd.log
for unit in $UNITS; do systemctl start "$unit"; done
