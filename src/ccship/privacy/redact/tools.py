"""The table of `programs`: where well-known programs have a secret among their arguments."""

TOOLS = """
mysql* mariadb* mytop: -p+
mycli mydumper myloader: -p*
mysqladmin: password
redis-cli valkey-cli keydb-cli redis-benchmark: -a*, --pass, auth ?, auth, ? auth-pass, requirepass, masterauth
valkey-benchmark iredis: -a*, --pass, auth ?, auth, ? auth-pass, requirepass, masterauth
mongo mongosh mongodump mongorestore mongoexport mongoimport mongostat mongotop mongofiles: -p*
psql pg_dump pgbench pg_restore: --pass
sqlcmd bcp osql tsql mssql-cli: -P*
sqlpackage: /tp:, /sp:, /targetpassword:, /sourcepassword:, /p:
isql isql-fb iusql gsec: -pas*, -password, isql ? ?, iusql ? ?
sqlplus expdp impdp sqlldr: ?~/
sqlldr exp imp expdp impdp: userid=~/
bteq: .logon ?~,
vsql nzsql: -w*, -pw
hdbsql hdbuserstore: -p*, set ? ? ?
db2 clpplus: using
cqlsh nodetool dsbulk: -p*, -pw*
impala-shell beeline trino presto spark-sql: -p*
cypher-shell neo4j-admin: -p*, set-initial-password
cbq cbbackupmgr cbimport cbexport couchbase-cli cbstats: -p*
arangosh arangodump arangoimport: --server.password
orientdb console.sh: connect ? ?
influx: -t*, -p*
etcdctl: --user~:, user add ?~:
snowsql exaplus: -p*
surreal clickhouse-client: --pass
ldapsearch ldapmodify ldapadd ldapdelete ldapwhoami ldappasswd ldapcompare ldapmodrdn: -w*
ldappasswd slappasswd: -s*
dsconf dsctl dsidm: -w*
dsadd dsmod dsquery: -pwd
kadmin kadmin.local ktutil kpasswd kdb5_util: -w*, -pw, -P*, addprinc -pw
ipa-client-install ipa-server-install ipa-replica-install ipa: -w*, -p*, -a*
adcli realm: -w
samba-tool: user create ?, user add ?, user setpassword ? --newpassword
dscl: -passwd ?
mkpasswd: mkpasswd, -m ?, --method=?, -s
doveadm: -p*, auth test ?, auth login ?
caddy: --plaintext
testsaslauthd saslpasswd2 pluginviewer: -p*
radtest: radtest ?, radtest ? ? ? ?
htpasswd: -b ? ?, -cb ? ?, -bc ? ?, -bB ? ?, -Bb ? ?, -cbB ? ?, -bcB ? ?, -cBb ? ?, -Bbc ? ?, -bm ? ?, -mb ? ?
htpasswd: -bd ? ?, -bs ? ?, -i ? ?
htpasswd: -nb ?, -bn ?, -nbB ?, -Bbn ?, -bnB ?, -nBb ?, -nbm ?, -nbs ?, -bBn ?
useradd usermod adduser: -p*
net: user ?, use ? /user:?, use ? ? /user:?, use ? ?, use ?, use ? ? /user:?, -U*~%
cmdkey: /pass:
schtasks at: /rp
psexec psexec64 paexec: -p*
winrs wmic: -p:, /password:, -password:
autologon autologon64: ? ? ?
netsh: key=, keymaterial=
manage-bde: -pw
reg: password /t reg_sz /d, defaultpassword /t reg_sz /d, defaultpassword /d, password /d
plink pscp psftp putty kitty kscp: -pw*, -pass
sshpass: -p*
vncdo vncdotool: -p*
x11vnc: -passwd, -storepasswd
teamviewer: passwd, passwd=
rdesktop xfreerdp xfreerdp3 wfreerdp sdl-freerdp wlfreerdp: -p*, /p:
openfortivpn forticlient vpncli: -p*
nmcli: password, psk, ?-sec.psk, ?-security.psk, ?.wep-key0
wpa_cli iwctl: psk, --passphrase
wpa_passphrase: wpa_passphrase ?
networksetup: -setairportnetwork ? ?, -addpreferredwirelessnetworkatindex ? ? ? ?
create_ap: create_ap ? ? ?
uci: ?.key=, ?.password=, ?.psk=, ?_secret=
smbclient smbget rpcclient smbcacls smbspool smbtree winexe wbinfo: -U*~%, --user~%
smbclient: smbclient ?
smbmap nxc netexec crackmapexec bloodhound-python evil-winrm enum4linux enum4linux-ng certipy ldapdomaindump: -p*
kerbrute: passwordspray -d ? ?
impacket-* psexec.py wmiexec.py smbexec.py secretsdump.py atexec.py dcomexec.py mssqlclient.py: ?~:
hydra ncrack medusa patator: -p*, --pass
mount_smbfs mount_afp: ?~:
lftp: -u*~,, open -u ?~,
curl: -?u*~:, -u*~:, --user~:, --proxy-user~:, -U*~:
xh http https: -a~:, --auth~:, -A bearer -a
ftp: user ?
ncftp ncftpput ncftpget ncftpls: -p*
swaks: -ap, --auth-password
sendemail: -xp
snmpwalk snmpget snmpset snmpgetnext snmpbulkwalk: -c*, -A*, -X*
snmpbulkget snmptrap snmpinform snmptable snmpdf snmpstatus: -c*, -A*, -X*
snmpusm: -c*, -A*, -X*
check_snmp: -C*, -A*, -X*
check_mysql check_mysql_query check_pgsql check_postgres check_mssql check_oracle check_ldap check_imap: -p*, -P*
check_nt: -s*
check_http: -a~:
onesixtyone snmp-check braa: -c*
ipmitool ipmiutil: -P*, set password ?
racadm ilorest redfishtool hponcfg: -p*, ?.password
govc ovftool esxcli vmrun powercli: -p*, -gp, -u~:
virt-customize virt-builder virt-sysprep: --root-password password:, --password ?:password:
virsh: set-user-password ? ?
qm pct: --cipassword
openssl: -k*, -K, -hmac, -macopt key:, -macopt hexkey:, passwd, passwd -?, passwd -? -salt ?
keytool: -new
pk12util: -W*, -K*
certutil signtool osslsigncode: -p*, /p
altool xcrun: -p*
security: -p*, -P*, -w*, -k*
ssh-keygen: -N*, -P*
ccrypt mcrypt aescrypt: -K*, -p*
steghide outguess: -p*, -k*
zip unzip zipcloak: -P*
7z 7za 7zz 7zr unrar rar p7zip: -p+, -hp+
qpdf: --encrypt, --encrypt ?
pdftk: input_pw, user_pw, owner_pw
pdftotext pdfinfo pdftoppm pdfimages: -upw, -opw
mutool msoffcrypto-tool: -p*
zulucrypt-cli veracrypt truecrypt: -p*
dislocker dislocker-fuse: -u+
rclone: obscure
bw: login ?, unlock
gh glab: -b*
glab: variable set ?
heroku dokku: config:set ?=
docker podman nerdctl buildah skopeo oras crane regctl helm oc cf az ibmcloud ctr: login .. -p*
skopeo buildah podman crane: --creds~:, --src-creds~:, --dest-creds~:
cf: auth ?
az: server .. -p, vm .. -p, -u ? -p, --admin-password
ansible-vault: encrypt_string
knife: -P*
swift: -K*
mc: alias set ? ? ?, alias set ? ?, admin user add ? ?, config host add ? ? ?
b2: authorize-account ?, account authorize ?
ossutil ossutil64 obsutil: -k*
rabbitmqctl: add_user ?, change_password ?, authenticate_user ?
rabbitmqadmin: -p*
mosquitto_pub mosquitto_sub mosquitto_rr mqttx: -P*
mqtt mqtt-cli: -pw*
mosquitto_passwd: -b ? ?, -c -b ? ?, -cb ? ?
add-user.sh: -p*
jenkins-cli.jar: -auth~:
npm-cli-login: -p*
twine flit hatch poetry: -p*
hatch: -a*
poetry: pypi-token.?, http-basic.? ?
dotnet nuget choco: -p*, -k*, setapikey, -ApiKey
composer: http-basic.? ?, github-oauth.?, gitlab-token.?
bundle: config .. ?~:
p4: -P*
cvs: ?~:
codecov: -t*
ngrok: --basic-auth~:
drush: user:password ?, upwd ?
icinga2: --ticket
rails: --key
netbird: --setup-key
ab siege: -A*~:, -P*~:
yt-dlp youtube-dl gallery-dl: -p*
transmission-remote: -n*~:
deluge-console: connect ? ?
steamcmd steamcmd.sh: +login ?
mcrcon rcon-cli rcon: -p*
grafana-cli grafana: reset-admin-password
mkstore: -createCredential ? ?
streamlink: --http-cookie ?=
sonar-scanner: -Dsonar.login=
vault: operator unseal, kv put .. ?=
rman: target ?~/
murmurd: -supw, --supw
iwconfig iw: key s:, key ?:, key
synouser: --setpw ?, --add ?
ldapvi: -w*
netdom: /passwordd:, /passwordo:, /pd:, /po:
vboxmanage: setcredentials ?
ttyd gotty uploadserver: -c~:, --credential~:, --basic-auth~:
transmission-remote: --auth~:
fs_cli sipp: -p*, -ap
sapcontrol: -user ?
nix: access-tokens ?=
adb: connect-network ? wpa2, connect-network ? wpa3
conan: -p*, remote login ? ?
curl: --cert~:, -E~:
eas: --value
fastlane: --git_basic_authorization
firebase: functions:config:set ?=
fly flyctl: secrets set .. ?=, -p*
uv: publish .. -p, publish .. -t
virsh: secret-set-value ?
odoo odoo-bin: -w*
yarn: npmauthident ?~:
cpanify cpan-upload mojo: -p*
srcds_run srcds_linux: +sv_setsteamaccount, +rcon_password, +sv_password
irssi: -w*
supabase netlify railway doppler infisical: secrets set .. ?=, env:set ?
"""
"""Programs on a command line."""

DIRECTIVES = """
createuser: createuser ? ?, createuser ? ? ? ?
com2sec com2sec6: ? ? ?
rocommunity rwcommunity rocommunity6 rwcommunity6: rocommunity, rwcommunity, rocommunity6, rwcommunity6
rocommunity rwcommunity rocommunity6 rwcommunity6: defcommunity, defauthpassphrase, defprivpassphrase
defcommunity defauthpassphrase defprivpassphrase: rocommunity, rwcommunity, rocommunity6, rwcommunity6, defcommunity
defcommunity defauthpassphrase defprivpassphrase: defauthpassphrase, defprivpassphrase
authcommunity: authcommunity ?
trap2sink trapsink informsink: trap2sink ?, trapsink ?, informsink ?
sqlconnectinfo: sqlconnectinfo ? ?
basicauth: basicauth ?
socks5 socks4: socks5 ? ? ?, socks4 ? ? ?
forward-socks5 forward-socks5t: ? ?~:
cachemgr_passwd: cachemgr_passwd
passntlmv2 passnt passlm: passntlmv2, passnt, passlm
register: register => ?~:
users: ?~:CL:
allow: allow ?~:
requestheader header: requestheader set ?, header set ?
snmp-server: community, ? sha, ? md5, ? aes 128, ? aes 256, ? des
snmp-agent: community ? cipher, community ?
ntp: authentication-key ? md5, authentication-key ? sha1
ip standby vrrp neighbor: key-string, md5 ?, md5, password
key-string wpa-psk pre-shared-key pre-shared-secret: key-string, key-string 7, ascii, ascii 0, ascii 7, ascii-text
key-string wpa-psk pre-shared-key pre-shared-secret: ikev1 pre-shared-key, remote-authentication pre-shared-key
key-string wpa-psk pre-shared-key pre-shared-secret: local-authentication pre-shared-key, plaintext-password
key-string wpa-psk pre-shared-key pre-shared-secret: pre-shared-secret, pre-shared-key
plaintext-password ikev1 ikev2: key-string, key-string 7, ascii, ascii 0, ascii 7, ascii-text, ikev1 pre-shared-key
plaintext-password ikev1 ikev2: remote-authentication pre-shared-key, local-authentication pre-shared-key
plaintext-password ikev1 ikev2: plaintext-password, pre-shared-secret, pre-shared-key
radius-server tacacs-server radius tacacs: key, key 7, key 0, secret
ipsec xauth: secret, password
login: = cleartext
password_pbkdf2: password_pbkdf2 ?
password: manager plaintext, operator plaintext
option: key, password, psk
backlog: password?, password1, mqttpassword, password2
rcon_password sv_password: rcon_password, sv_password
pre-shared-key key-string: pre-shared-key local, pre-shared-key remote, pre-shared-key key, key-string clear
pre-shared-key key-string: pre-shared-key local 0, pre-shared-key remote 0, key-string 0
enable configure config: super-user-password, shared-secret, set-key ascii, mgmtuser add ?
standby nhrp ip: standby ? authentication, nhrp authentication
vtp: password
authentication-key: authentication-key
snmp: community, community .. name=
snmp-server: priv, priv aes-128, priv aes
dns: cloudflare, digitalocean, gandi, hetzner, duckdns, vultr, linode, porkbun, netcup
forward: ? ?~:
passphrase: passphrase
nickserv: identify, identify ?, ghost ?
"""
"""Lines of configuration files that are written like commands."""
