# SPDX-License-Identifier: MIT
"""A real Kafka broker: one KRaft node on loopback, from its Java packages, with its data in a folder of the test."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess

import program

JARS = pathlib.Path(os.environ["FFFA_PEERS"]) / "kafka/jars"
JAVA = ("java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{JARS}/*")
ADMIN, WRITER = "admin-pass-word", "writer-pass-word"  # of the two users that log in


def fetch_jars():
    """Fetches the packages once and uses them afterwards."""
    pom = pathlib.Path(__file__).with_name("pom.xml")
    stamp = JARS / "pom.xml"
    for tool in ("java", "mvn", "openssl", "kcat"):
        if not shutil.which(tool):
            program.skip_all(f"{tool} is not installed")
    if stamp.exists() and stamp.read_bytes() == pom.read_bytes():
        return
    shutil.rmtree(JARS, ignore_errors=True)
    done = subprocess.run(("mvn", "-B", "-q", "-f", pom, "dependency:copy-dependencies", f"-DoutputDirectory={JARS}"),
                          capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout, done.stderr)
        program.skip_all("the jars of Kafka cannot be fetched here")
    shutil.copy(pom, stamp)


def free_ports(n):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def certificates(folder):
    """Writes ca.pem, other.pem (an authority that signed nothing here) and server.pem (key and chain) for 127.0.0.1."""
    def ssl(*words):
        subprocess.run(("openssl", *map(str, words)), check=True, capture_output=True, cwd=folder)

    for name in ("ca", "other"):
        ssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj", f"/CN={name}", "-keyout",
            f"{name}.key", "-out", f"{name}.pem")
    ssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=broker", "-keyout", "server.key", "-out", "server.csr")
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1\n")
    ssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", 2,
        "-extfile", "san", "-out", "server.crt")
    (folder / "server.pem").write_bytes((folder / "server.key").read_bytes() + (folder / "server.crt").read_bytes())


class Broker:
    """Anonymous clients and admin may do everything; writer may do nothing."""

    def __init__(self, folder):
        self.dir = folder
        self.process = None
        self.starts = 0
        self.plain, self.tls, self.sasl, controller = [f"127.0.0.1:{port}" for port in free_ports(4)]
        certificates(folder)
        plain_module = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        (folder / "server.properties").write_text(f"""
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{controller}
listeners=PLAINTEXT://{self.plain},SSL://{self.tls},SASL_PLAINTEXT://{self.sasl},CONTROLLER://{controller}
advertised.listeners=PLAINTEXT://{self.plain},SSL://{self.tls},SASL_PLAINTEXT://{self.sasl}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={folder}/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
broker.session.timeout.ms=1000
broker.heartbeat.interval.ms=200
auto.create.topics.enable=false
ssl.keystore.type=PEM
ssl.keystore.location={folder}/server.pem
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config={plain_module} user_admin="{ADMIN}" user_writer="{WRITER}";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:admin
""")
        self.tool("kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c", "server.properties")

    def tool(self, *words):
        done = subprocess.run((*JAVA, *words), cwd=self.dir, capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError(done.stdout + done.stderr)

    def start(self):
        self.starts += 1
        log = self.dir / f"broker.{self.starts}.log"
        with log.open("wb") as out:
            self.process = subprocess.Popen((*JAVA, "-Dorg.slf4j.simpleLogger.defaultLogLevel=info", "kafka.Kafka",
                                             "server.properties"), cwd=self.dir, stdout=out, stderr=out)
        program.await_that("the broker", lambda: "Kafka Server started" in log.read_text(), self.process)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def topic(self, name, partitions=1, *configs):
        subprocess.run((os.environ["KAFKA_TOPIC"], self.plain, name, str(partitions), *configs), check=True)
        # The topic exists before its partitions have a leader, and only then can one ask for their ends.
        program.await_that(f"leaders of {name}", lambda: all(self.end(name, i).returncode == 0 for i in range(partitions)))

    def messages(self, topic, form="%s"):
        """Returns the messages of the topic as kcat prints them, each in the form and with a newline."""
        done = subprocess.run(("kcat", "-q", "-C", "-b", self.plain, "-t", topic, "-o", "beginning", "-e", "-f",
                               form + "\n"), capture_output=True, timeout=60, check=True, text=True)
        return done.stdout.splitlines()

    def end(self, topic, partition):
        """Runs kcat and asks for the next offset."""
        return subprocess.run(("kcat", "-q", "-Q", "-b", self.plain, "-t", f"{topic}:{partition}:-1"), capture_output=True,
                              timeout=60, check=False, text=True)

    def count(self, topic):
        """Returns the number of messages in partition 0."""
        done = self.end(topic, 0)
        if done.returncode:
            raise AssertionError(done.stderr)
        return int(done.stdout.split()[-1])
