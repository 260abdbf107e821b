// What the sockets of Spotter are measured against: Socket.IO and nothing else. It knows no one, keeps nothing, and has
// no second server: a request names a namespace, a room and an event, and the room gets it.
import http from 'node:http';
import { Server } from 'socket.io';

interface Broadcast {
  namespace: string;
  event: string;
  payload: unknown;
}

const ROOM = 'gym:1';
const server = http.createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    for (const broadcast of JSON.parse(Buffer.concat(chunks).toString()) as Broadcast[]) {
      if (broadcast.event === 'check_in_stats') sendNumbers(broadcast);
      else send(broadcast);
    }
    response.writeHead(201, { 'content-type': 'application/json' }).end('{}');
  });
});
const send = ({ namespace, event, payload }: Broadcast) => void io.of(namespace).to(ROOM).emit(event, payload);

/** At once, and then the latest not more than once a second. */
let latest: Broadcast | undefined;
let pause: NodeJS.Timeout | undefined;
function sendNumbers(numbers: Broadcast | undefined): void {
  latest = numbers;
  if (pause || !latest) return;
  send(latest);
  latest = undefined;
  pause = setTimeout(() => {
    pause = undefined;
    sendNumbers(latest);
  }, 1_000);
}

const io = new Server(server, { serveClient: false });
for (const name of ['/slots', '/checkins', '/devices']) {
  io.of(name).on('connection', (socket) => void socket.join(ROOM));
}
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  process.stdout.write(`A bare Socket.IO is running at http://127.0.0.1:${port}\n`);
});
