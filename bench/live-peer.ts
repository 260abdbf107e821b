// What the sockets of Spotter are measured against: Socket.IO and nothing else. It knows no one, keeps nothing, and has
// no second server: a request names namespaces and events, and the room gets them, as ours would.
import http from 'node:http';
import { Server } from 'socket.io';

interface Broadcast {
  namespace: string;
  event: string;
  payload: unknown;
  /** How something is: told at once, and then not more than once a second, and to all who come. */
  isState: boolean;
}

const ROOM = 'gym:1';
const server = http.createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    for (const broadcast of JSON.parse(Buffer.concat(chunks).toString()) as Broadcast[]) {
      if (broadcast.isState) sendState((state = broadcast));
      else send(broadcast);
    }
    response.writeHead(201, { 'content-type': 'application/json' }).end('{}');
  });
});
const send = ({ namespace, event, payload }: Broadcast) => void io.of(namespace).to(ROOM).emit(event, payload);

let state: Broadcast | undefined;
/** What has been told since is the same, or waits. */
let latest: Broadcast | undefined;
let pause: NodeJS.Timeout | undefined;
function sendState(changed: Broadcast | undefined): void {
  latest = changed;
  if (pause || !latest) return;
  send(latest);
  latest = undefined;
  pause = setTimeout(() => {
    pause = undefined;
    sendState(latest);
  }, 1_000);
}

const io = new Server(server, { serveClient: false });
for (const name of ['/slots', '/checkins', '/devices']) {
  io.of(name).on('connection', (socket) => {
    void socket.join(ROOM);
    if (state) socket.emit(state.event, state.payload);
  });
}
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  process.stdout.write(`A bare Socket.IO is running at http://127.0.0.1:${port}\n`);
});
