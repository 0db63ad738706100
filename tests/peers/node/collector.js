// SPDX-License-Identifier: MIT
// A collector as people write them for Node: collector.js LIMIT. It keeps the bodies that are not larger than LIMIT.
// A larger one gets 413: at /announced by its length, before it is read, as Express's body parser does; at /counted when
// the bytes that came are too many; at /cut the connection is ended behind the answer. GET /bodies returns what was kept.
"use strict";
const http = require("http");

const limit = Number(process.argv[2]);
const bodies = [];
const refusals = {};

function refuse(request, response)
{
	refusals[request.url] = (refusals[request.url] || 0) + 1;
	const more = request.url === "/cut" ? {Connection: "close"} : {};
	response.writeHead(413, {"Content-Type": "application/json", ...more});
	response.end(JSON.stringify({error: "request entity too large", limit}), () => {
		if (request.url === "/cut")
			request.socket.destroySoon();
	});
}

function read(request, response)
{
	const chunks = [];
	let size = 0;
	request.on("data", (chunk) => {
		size += chunk.length;
		if (size <= limit)
			chunks.push(chunk);
		else if (!response.headersSent)
			refuse(request, response);
	});
	request.on("end", () => {
		if (response.headersSent)
			return;
		bodies.push(Buffer.concat(chunks).toString());
		response.end("{}");
	});
}

http.createServer((request, response) => {
	if (request.method === "GET")
		response.end(JSON.stringify({bodies, refusals}));
	else if (request.url !== "/counted" && Number(request.headers["content-length"]) > limit)
		refuse(request, response);
	else
		read(request, response);
}).listen(0, "127.0.0.1", function () {
	console.log(this.address().port);
});
