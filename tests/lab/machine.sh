#!/bin/sh
# One machine of the lab. Runs inside network, mount, host name and process namespaces of its own.
# $1 its name, $2 its folder.
set -e
name=$1 folder=$2
hostname "$name"
mount --make-rprivate /
mount -t proc proc /proc # /sys is the right one already: `ip netns exec` saw to it
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lldpd
printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$name" > "$folder/hosts" # lldpd looks its name up
mount --bind "$folder/hosts" /etc/hosts
mount -t tmpfs -o mode=755 tmpfs /etc/lldpd.d
echo 'configure lldp tx-interval 1' > /etc/lldpd.d/lab.conf
cat > "$folder/snmpd.conf" <<END
agentAddress udp:161
rocommunity public
sysName $name
sysLocation lab
master agentx
agentXSocket /run/agentx
END
snmpd -f -Lf "$folder/snmpd.log" -p /run/snmpd.pid -c "$folder/snmpd.conf" -C -I -smux &
tries=0
until [ -S /run/agentx ] || [ $tries -gt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
lldpd -d -x -X /run/agentx -u /run/lldpd.socket -I 'eth*' -m '10.255.*' -S "lab machine" \
  > "$folder/lldpd.log" 2>&1 &
wait
