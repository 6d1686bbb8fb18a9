"""Examples of `ccship.privacy.redact.commands`."""

from redact_examples.notation import Examples, canary, made_up

EXAMPLES = {
    "shell-default": Examples(
        hits=(
            "docker run -e KEY=${API_KEY-" + canary(made_up(24)) + "}",
            "echo ${DB_PASSWORD-" + canary("hunter", "22") + "} | cat",
        ),
        misses=("${API_KEY-none}", "${total-offset1}", "${API_KEY-$OTHER_KEY}"),
    ),
    "command-line-credentials": Examples(
        hits=(
            "curl -s -u ada:" + canary("love", "lace1815") + " https://example.com",
            "curl https://example.com --user 'ada:" + canary("hunter", "2") + "'",
            "curl https://example.com/x -u'ada:" + canary("hunter", " 22") + "'",
            "http -a ada:" + canary("hunter", "22") + " example.com",
        ),
        misses=(
            "curl -u $USER:$PASSWORD https://example.com",
            "curl -u ada https://example.com:8080",
            "docker run -u ada:wheel4 x",
        ),
    ),
    "openssl-password": Examples(
        hits=(
            "openssl rsa -in key.pem -passin pass:" + canary("hunter", "2"),
            "openssl enc -aes-256-cbc -passout 'pass:" + canary("battery", "9") + "' -in a",
        ),
        misses=("openssl rsa -passin env:PASSWORD", "openssl rsa -passin pass:$PASSWORD"),
    ),
    "piped-password": Examples(
        hits=(
            "echo '" + canary("hunter", "22") + "' | docker login -u ada --password-stdin",
            "echo " + canary("hunter", "22") + " | sudo -S apt update",
            'echo "ada:' + canary("hunter", "22") + '" | chpasswd',
        ),
        misses=(
            "echo $TOKEN | docker login --password-stdin",
            "echo done | tee log",
            "printf '%s' x | wc -c",
            "echo aGVsbG8gd29ybGQ= | base64 -d",
        ),
    ),
    "here-string-password": Examples(
        hits=(
            "docker login -u ada --password-stdin <<< '" + canary("hunter", "22") + "'",
            "sudo -S ls <<< " + canary("hunter", "22"),
        ),
        misses=("docker login --password-stdin <<< $TOKEN", "login <<EOF"),
    ),
    "login-token": Examples(
        hits=("wandb login " + canary(made_up(40)), "ngrok authtoken " + canary(made_up(27), "_", made_up(20))),
        misses=("login with-your-own-account", "vault login -method=github", "see auth documentation"),
    ),
    "stored-secret": Examples(
        hits=(
            "gh secret set DEPLOY --body '" + canary("hunter", " 22") + "'",
            "kubectl create secret generic db --from-literal=value=" + canary("hunter", "22"),
            "aws ssm put-parameter --name x --value " + canary("hunter", "22"),
        ),
        misses=("gh secret set DEPLOY --body $VALUE", "aws ssm get-parameter --name x", "keep it secret --value x"),
    ),
    "command-line-token": Examples(
        hits=(
            "curl -u " + canary(made_up(40)) + ": https://example.com/v1",
            "kubeadm join db:6443 --token " + canary("q7wm2z", ".", "x9kdl4vtb8rny3hg"),
            "bw list items --session " + canary(made_up(86), "=="),
        ),
        misses=("docker run -u application-user: x", "kubeadm token list", "tool --session default"),
    ),
    "printed-password": Examples(
        hits=(
            "wg set wg0 private-key <(echo " + canary(made_up(43), "=") + ")",
            "rsync --password-file=<(echo '" + canary("hunter", "22") + "') a b",
            "restic --password-command 'echo " + canary("hunter", "22") + "' snapshots",
        ),
        misses=("diff --key <(echo $KEY) b", "--token <(cat token)", "echo hunter22 is a name"),
    ),
    "login-argument": Examples(
        hits=(
            "exp system/" + canary("hunter", "22") + "@ORCL owner=SHOP",
            '$p = ConvertTo-SecureString "' + canary("hunter", "22") + '" -AsPlainText -Force',
        ),
        misses=("imp src/lib@main", "ConvertTo-SecureString $Password -AsPlainText"),
    ),
    "password-flag": Examples(
        hits=(
            "pmcmd connect -sv a -u c -p " + canary("hunter", "22"),
            "tool login --user ada -w " + canary("Sommer", "2024"),
        ),
        misses=("docker run -u 1000 -p 8080:80 image2", "ssh -l ada -p 2222 h", "tool -p hunter22"),
    ),
    "login-flag": Examples(
        hits=(
            "uploadserver --basic-auth ada:" + canary("hunter", "22"),
            "tool --proxy-login ada:" + canary("Sommer", "2024"),
        ),
        misses=("tool --auth ada:$PASSWORD", "docker run --user 1000:1000 a"),
    ),
    "account-command": Examples(
        hits=(
            "prosodyctl register ada h " + canary("hunter", "22"),
            "tool users add ada " + canary("Sommer", "2024") + " --admin",
        ),
        misses=("npm run register user2", "useradd -m deploy2", "tool users add ada"),
    ),
    "written-password": Examples(
        hits=(
            "echo 'https://h/dav ada " + canary("hunter", "22") + "' >> /etc/davfs2/secrets",
            "echo -n " + canary("Sommer", "2024") + " > /root/luks.key",
        ),
        misses=("echo hello2024 > out.txt", "echo $PASSWORD > /run/secret"),
    ),
}
