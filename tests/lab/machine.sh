#!/bin/sh
# One machine of the lab. Runs inside network, mount, host name and process namespaces of its own.
# $1 its name, $2 its folder, $3 the folder with the keys.
set -e
name=$1 folder=$2 keys=$3
hostname "$name"
mount --make-rprivate /
mount -t proc proc /proc # /sys is the right one already: `ip netns exec` saw to it
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lldpd /run/sshd /run/layer
# What is written below /etc and /var/lib stays this machine's own.
mount -t tmpfs -o mode=755,size=8m tmpfs /run/layer
for place in etc var/lib; do
  mkdir -p "/run/layer/$place/up" "/run/layer/$place/work"
  mount -t overlay overlay \
    -o "lowerdir=/$place,upperdir=/run/layer/$place/up,workdir=/run/layer/$place/work" "/$place"
done
mkdir -p /run/layer/home
mount --bind /run/layer/home /home
printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$name" > /etc/hosts # lldpd looks its name up
mkdir -p /etc/lldpd.d /etc/lab /etc/sysctl.d /etc/init.d
echo 'configure lldp tx-interval 1' > /etc/lldpd.d/lab.conf
bashrc=$(getent passwd root | cut -d: -f6)/.bashrc # bash reads it for every command
[ ! -f "$bashrc" ] || mount --bind /dev/null "$bashrc"
find /etc/sysctl.d /usr/lib/sysctl.d -name '*.conf' -exec mount --bind /dev/null {} \; 2> /dev/null
echo 'net.ipv4.ip_forward = 1' > /etc/sysctl.d/99-lab.conf
cat > "$folder/snmpd.conf" <<END
agentAddress udp:161
rocommunity public
sysName $name
sysLocation lab
master agentx
agentXSocket /run/agentx
END
# Somebody who may log in, and by sudoers(5) become root without a password, or not at all.
for user in operator guest; do
  grep -q "^$user:" /etc/passwd || echo "$user:x:$((2000 + $(echo $user | wc -c))):100::/home/$user:/bin/sh" >> /etc/passwd
  grep -q "^$user:" /etc/shadow || echo "$user:*:19000:0:99999:7:::" >> /etc/shadow
  mkdir -p "/home/$user" && chown "$user" "/home/$user"
done
mkdir -p /etc/sudoers.d
echo 'operator ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/lab && chmod 440 /etc/sudoers.d/lab
cp "$keys/host-$name" /etc/lab/host && chmod 600 /etc/lab/host
cp "$keys/client.pub" /etc/lab/authorized_keys && chmod 644 /etc/lab/authorized_keys
cat > /etc/lab/sshd_config <<END
HostKey /etc/lab/host
AuthorizedKeysFile /etc/lab/authorized_keys
PidFile none
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
PasswordAuthentication no
UseDNS no
MaxStartups 100:30:200
Subsystem sftp /usr/lib/openssh/sftp-server
END
# A service that starts only with a configuration that it understands, as real ones do.
cat > /etc/init.d/labd <<'END'
#!/bin/sh
case $1 in
  stop) [ ! -f /run/labd.pid ] || kill "$(cat /run/labd.pid)" 2> /dev/null; rm -f /run/labd.pid ;;
  status) kill -0 "$(cat /run/labd.pid 2> /dev/null)" 2> /dev/null ;;
  start)
    ! grep -qs nonsense /etc/labd.conf || { echo 'labd: nonsense in /etc/labd.conf' >&2; exit 1; }
    sleep 100000 < /dev/null > /dev/null 2>&1 & echo $! > /run/labd.pid
    echo started >> /run/labd.log ;;
  restart) "$0" stop; "$0" start ;;
esac
END
chmod 755 /etc/init.d/labd
/etc/init.d/labd start
snmpd -f -Lf "$folder/snmpd.log" -p /run/snmpd.pid -c "$folder/snmpd.conf" -C -I -smux &
tries=0
until [ -S /run/agentx ] || [ $tries -gt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
lldpd -d -x -X /run/agentx -u /run/lldpd.socket -I 'eth*' -m '10.255.*' -S "lab machine" \
  > "$folder/lldpd.log" 2>&1 &
/usr/sbin/sshd -D -e -f /etc/lab/sshd_config 2> "$folder/sshd.log" &
wait
