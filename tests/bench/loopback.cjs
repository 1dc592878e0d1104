// For a program on Node that cannot be told its address: it listens on loopback alone. Loaded by --require.
const net = require("node:net");
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...rest) {
  const callback = rest.find((each) => typeof each === "function");
  const where = typeof port === "object" ? port : { port };
  return listen.call(this, { ...where, host: "127.0.0.1" }, ...(callback ? [callback] : []));
};
