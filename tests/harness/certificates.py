"""Certificates of every kind, good and bad, made by the `openssl` command."""
import datetime
import itertools
import ssl
import subprocess

CA_CONFIG = """
[ca]
default_ca = default
[default]
dir = {folder}
database = {folder}/index.txt
new_certs_dir = {folder}
serial = {folder}/serial
default_md = sha256
policy = anything
unique_subject = no
copy_extensions = none
[anything]
commonName = supplied
[leaf]
basicConstraints = critical, CA:false
extendedKeyUsage = {usage}
{names}
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
"""


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr


def new_key(file):
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", file)
    return file


class Pair:
    """A certificate (or its chain) and its private key."""

    def __init__(self, certificate, key):
        self.certificate, self.key = certificate, key

    def server_context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


class Authority:
    """A certificate authority in a folder. `above` makes it an intermediate one."""

    def __init__(self, folder, name="authority", above=None):
        self.folder = folder / name
        self.folder.mkdir(parents=True)
        (self.folder / "index.txt").write_text("")
        (self.folder / "serial").write_text("1000\n")
        self._numbers = itertools.count()
        self.above = above
        self.key = new_key(self.folder / "ca.key")
        if above:
            self.certificate = above._sign(self.key, name, "authority", (), "serverAuth", -1, 30)
        else:
            self.certificate = self.folder / "ca.pem"
            openssl("req", "-x509", "-new", "-key", self.key, "-subj", f"/CN={name}", "-days", "30", "-out", self.certificate,
                    "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def _sign(self, key, common_name, section, names, usage, from_days, until_days):
        stem = f"{next(self._numbers)}"
        config, request, certificate = (self.folder / f"{stem}.{end}" for end in ("cnf", "csr", "pem"))
        line = "subjectAltName = " + ",".join(names) if names else ""
        config.write_text(CA_CONFIG.format(folder=self.folder, names=line, usage=usage))
        openssl("req", "-new", "-key", key, "-subj", f"/CN={common_name}", "-out", request)
        now = datetime.datetime.now(datetime.timezone.utc)
        start, end = ((now + datetime.timedelta(days=days)).strftime("%Y%m%d%H%M%SZ") for days in (from_days, until_days))
        openssl("ca", "-batch", "-notext", "-config", config, "-cert", self.folder / "ca.pem" if not self.above else self.certificate,
                "-keyfile", self.key, "-in", request, "-out", certificate, "-startdate", start, "-enddate", end, "-extensions", section)
        return certificate

    def leaf(self, *names, common_name="leaf", usage="serverAuth", from_days=-1, until_days=30, with_chain=True):
        """A server's certificate for names such as 'DNS:localhost' or 'IP:127.0.0.1'."""
        key = new_key(self.folder / f"leaf-{next(self._numbers)}.key")
        certificate = self._sign(key, common_name, "leaf", names, usage, from_days, until_days)
        if self.above and with_chain:
            certificate.write_text(certificate.read_text() + self.certificate.read_text())
        return Pair(certificate, key)


def self_signed(folder, *names):
    """A certificate that only its own holder vouches for."""
    key, certificate = new_key(folder / "self.key"), folder / "self.pem"
    openssl("req", "-x509", "-new", "-key", key, "-subj", "/CN=self", "-days", "30", "-out", certificate,
            "-addext", f"subjectAltName={','.join(names)}")
    return Pair(certificate, key)
