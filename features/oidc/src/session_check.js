(function () {
  "use strict";
  // SHA-256 (FIPS 180-4) in itself, since a frame may have no other.
  var K = [], H = [];
  function fraction(x) { return (x - Math.floor(x)) * 4294967296 | 0; }
  for (var n = 2; K.length < 64; n++) {
    var d = 2;
    while (d * d <= n && n % d) d++;
    if (d * d <= n) continue;
    if (H.length < 8) H.push(fraction(Math.sqrt(n)));
    K.push(fraction(Math.pow(n, 1 / 3)));
  }
  function turn(x, by) { return x >>> by | x << 32 - by; }
  function sha256(text) {
    var bytes = unescape(encodeURIComponent(text)), words = [], h = H.slice(), i, t;
    for (i = 0; i < bytes.length; i++) words[i >> 2] |= bytes.charCodeAt(i) << 24 - i % 4 * 8;
    words[i >> 2] |= 128 << 24 - i % 4 * 8;
    words[(i + 8 >> 6) * 16 + 15] = i * 8;
    for (i = 0; i < words.length; i += 16) {
      var w = [], s = h.slice();
      for (t = 0; t < 64; t++) {
        if (t < 16) w[t] = words[i + t] | 0;
        else {
          var a = w[t - 15], b = w[t - 2];
          w[t] = w[t - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >>> 3) + w[t - 7]
            + (turn(b, 17) ^ turn(b, 19) ^ b >>> 10) | 0;
        }
        var one = s[7] + (turn(s[4], 6) ^ turn(s[4], 11) ^ turn(s[4], 25))
          + (s[4] & s[5] ^ ~s[4] & s[6]) + K[t] + w[t] | 0;
        var two = (turn(s[0], 2) ^ turn(s[0], 13) ^ turn(s[0], 22))
          + (s[0] & s[1] ^ s[0] & s[2] ^ s[1] & s[2]) | 0;
        s = [one + two | 0, s[0], s[1], s[2], s[3] + one | 0, s[4], s[5], s[6]];
      }
      for (t = 0; t < 8; t++) h[t] = h[t] + s[t] | 0;
    }
    var hex = "";
    for (i = 0; i < 8; i++) hex += ("0000000" + (h[i] >>> 0).toString(16)).slice(-8);
    return hex;
  }
  function browserState() {
    var name = document.body.getAttribute("data-cookie") + "=", pairs = document.cookie.split("; ");
    for (var i = 0; i < pairs.length; i++) {
      if (pairs[i].indexOf(name) === 0) return pairs[i].slice(name.length);
    }
    return "";
  }
  function answer(message, origin) {
    var end = typeof message === "string" ? message.lastIndexOf(" ") : -1;
    var client = end > 0 ? message.slice(0, end) : "", state = end > 0 ? message.slice(end + 1) : "";
    var dot = state.indexOf(".");
    if (!client || dot < 1) return "error";
    var salt = state.slice(dot + 1);
    var now = sha256(client + " " + origin + " " + browserState() + " " + salt) + "." + salt;
    return now === state ? "unchanged" : "changed";
  }
  window.addEventListener("message", function (event) {
    if (event.source) event.source.postMessage(answer(event.data, event.origin), event.origin);
  }, false);
})();
