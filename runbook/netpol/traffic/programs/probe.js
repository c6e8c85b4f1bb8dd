// Runs in a pod that has Node.js; the same plan and answer as probe.py.
const net = require("net");
const dgram = require("dgram");
const fs = require("fs");

const ERRORS = {
  ECONNREFUSED: "REFUSED", ETIMEDOUT: "TIMEOUT", EHOSTUNREACH: "PROHIBITED", ENETUNREACH: "PROHIBITED",
  EACCES: "PROHIBITED", EPERM: "PROHIBITED", ENOTFOUND: "DNS", EAI_AGAIN: "DNS",
};
const PAUSE = 250;
const ANSWER = 5000;
const outcomeOf = (error) => ERRORS[error.code] || "CHECKFAILED";

function overTcp(host, port, payload, ms) {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    let connected = false;
    const end = (outcome, reply) => { clearTimeout(timer); socket.destroy(); resolve([outcome, reply]); };
    const late = () => end(connected ? "SILENT" : "TIMEOUT");
    let timer = setTimeout(late, ms);
    socket.on("connect", () => {
      connected = true;
      if (!payload) return end("OPEN");
      clearTimeout(timer);
      timer = setTimeout(late, ANSWER);
      socket.write(payload);
    });
    socket.on("data", (reply) => end("OPEN", reply));
    socket.on("error", (error) => end(connected ? "SILENT" : outcomeOf(error)));
    socket.on("end", () => end("SILENT"));
  });
}

function overUdp(host, port, payload, ms) {
  return new Promise((resolve) => {
    const socket = dgram.createSocket(host.includes(":") ? "udp6" : "udp4");
    const end = (outcome, reply) => {
      clearTimeout(again); clearTimeout(timer); socket.close(); resolve([outcome, reply]);
    };
    const send = () => socket.send(payload, (error) => { if (error) end(outcomeOf(error)); });
    const again = setTimeout(send, ms / 2);
    const timer = setTimeout(() => end("TIMEOUT"), ms);
    socket.on("error", (error) => end(outcomeOf(error)));
    socket.on("message", (reply) => end("OPEN", reply));
    socket.connect(port, host, send);
  });
}

async function target(line) {
  const [number, protocol, host, port, payload, seconds, inAll] = line.split(" ");
  const words = payload === "-" ? null : Buffer.from(payload, "hex");
  const way = protocol === "UDP" ? overUdp : overTcp;
  const began = Date.now();
  for (;;) {
    const [outcome, reply] = await way(host, Number(port), words, Number(seconds) * 1000);
    const took = Date.now() - began;
    if (outcome === "OPEN" || took + PAUSE >= Number(inAll) * 1000) {
      return `${number} ${outcome} ${took} ${reply ? reply.subarray(0, 512).toString("hex") : "-"}\n`;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
}

function listeners() {
  for (const table of ["tcp", "tcp6", "udp", "udp6"]) {
    const file = `/proc/net/${table}`;
    if (fs.existsSync(file)) process.stdout.write(`== ${table}\n${fs.readFileSync(file, "utf8")}`);
  }
}

if (process.argv[1] === "listeners") listeners();
else {
  Promise.all(process.argv[1].split("\n").filter(Boolean).map(target))
    .then((answers) => process.stdout.write(answers.join("")));
}
