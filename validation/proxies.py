"""The proxies: their configuration, as it is shipped but for what an experiment names."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import time


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def find(name):
    """The program's path, or None: on the path, in /usr/sbin, or beside this Python's packages."""
    places = [os.environ["PATH"], "/usr/sbin", sysconfig.get_path("scripts")]
    return shutil.which(name, path=os.pathsep.join(places))


def version(name):
    flag = "--version" if name == "envoy" else "-v"
    said = subprocess.run([find(name), flag], capture_output=True, text=True, check=True)
    return re.search(r"\d+\.\d+\.\d+[-\w+]*", said.stdout + said.stderr).group()


def wait_for(port, process):
    """Returns once somebody listens at the port."""
    until = time.monotonic() + 15
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args[0]} does not listen")


class Proxy:
    """A proxy in front of backends, each a port of the loopback."""

    def __init__(self, folder, backends, **options):
        self.folder, self.backends, self.options = pathlib.Path(folder), list(backends), options
        self.port = free_port()
        self.config = self.folder / f"{self.name}.{self.suffix}"
        self.write()
        with open(self.folder / f"{self.name}.log", "wb") as log:
            command = [find(self.name), *self.arguments()]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            wait_for(self.port, self.process)
        except RuntimeError as error:
            self.stop()
            said = (self.folder / f"{self.name}.log").read_text(errors="replace")
            raise RuntimeError(f"{error}; it said:\n{said}") from None

    def write(self):
        self.config.write_text(self.text())

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()


class Nginx(Proxy):
    """`proxy_next_upstream error timeout` is its default; three servers are three tries.

    `max_fails=0`, as in ingress-nginx: a failure takes no server out.
    """

    name, suffix = "nginx", "conf"

    def arguments(self):
        return ["-p", self.folder, "-c", self.config, "-e", self.folder / "error.log"]

    def text(self):
        servers = "\n".join(f"server 127.0.0.1:{port} max_fails=0;" for port in self.backends)
        kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        places = "\n".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in kinds)
        user = "user root;" if os.getuid() == 0 else ""
        return f"""daemon off;
{user}
pid {self.folder}/nginx.pid;
worker_processes 1;
events {{}}
http {{
access_log off;
{places}
upstream backends {{
{servers}
}}
server {{
listen 127.0.0.1:{self.port};
location / {{
proxy_pass http://backends;
proxy_read_timeout 3s;
proxy_next_upstream {self.options.get("next_upstream", "error timeout")};
}}
}}
}}
"""

    def replace(self, place, port):
        """A backend gives way to another one, which serves already."""
        self.backends[place] = port
        self.write()
        self.process.send_signal(signal.SIGHUP)


class Haproxy(Proxy):
    """`retries 3` and `option redispatch`, without health checks."""

    name, suffix = "haproxy", "cfg"

    def arguments(self):
        return ["-db", "-f", self.config]

    def text(self):
        servers = [f"server b{i} 127.0.0.1:{port}" for i, port in enumerate(self.backends)]
        listed = "\n".join(servers)
        return f"""global
stats socket {self.folder}/admin level admin
defaults
mode http
retries {self.options.get("retries", 3)}
option redispatch
timeout connect 5s
timeout client 30s
timeout server 3s
frontend clients
bind 127.0.0.1:{self.port}
default_backend backends
backend backends
balance roundrobin
{listed}
"""

    def command(self, words):
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(str(self.folder / "admin"))
            admin.sendall(words.encode() + b"\n")
            said = admin.recv(4096).decode().strip()
        if said and "IP changed" not in said and "port changed" not in said:
            raise RuntimeError(f"HAProxy answered to `{words}`: {said}")

    def drain(self, place):
        self.command(f"set server backends/b{place} state drain")

    def replace(self, place, port):
        """A drained backend gives way to another one, which serves already."""
        self.command(f"set server backends/b{place} addr 127.0.0.1 port {port}")
        self.command(f"set server backends/b{place} state ready")


class Envoy(Proxy):
    """A route with `timeout: 3s`; retries and outlier detection only where they are asked for."""

    name, suffix = "envoy", "json"

    def arguments(self):
        common = ["--concurrency", "1", "--disable-hot-restart", "-l", "warning"]
        return ["-c", self.config, *common]

    def text(self):
        return json.dumps({"static_resources": {"listeners": [self.listener()],
                                                "clusters": [self.cluster()]}}, indent=1)

    def listener(self):
        route = {"cluster": "backends", "timeout": "3s", **self.options.get("route", {})}
        host = {"name": "all", "domains": ["*"],
                "routes": [{"match": {"prefix": "/"}, "route": route}]}
        types = "type.googleapis.com/envoy.extensions.filters"
        router = {"name": "router", "typed_config": {"@type": f"{types}.http.router.v3.Router"}}
        manager = {
            "@type": f"{types}.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "clients",
            "route_config": {"virtual_hosts": [host]},
            "http_filters": [router],
        }
        chain = {"filters": [{"name": "manager", "typed_config": manager}]}
        return {"address": address(self.port), "filter_chains": [chain]}

    def cluster(self):
        hosts = [{"endpoint": {"address": address(port)}} for port in self.backends]
        return {
            "name": "backends",
            "connect_timeout": "5s",
            "load_assignment": {"cluster_name": "backends", "endpoints": [{"lb_endpoints": hosts}]},
            **self.options.get("cluster", {}),
        }


def address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


class Backend:
    """A backend in a process of its own."""

    def __init__(self, seconds, status=200):
        script = pathlib.Path(__file__).with_name("backend.py")
        command = [sys.executable, script, str(seconds), str(status)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def crash(self):
        self.process.send_signal(signal.SIGKILL)

    def hang(self):
        self.process.send_signal(signal.SIGSTOP)

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
