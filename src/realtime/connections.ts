import { Injectable } from '@nestjs/common';
import type { Namespace, Server } from 'socket.io';
import type { Principal } from '../common/actor/actor.js';
import { NotSignedIn } from '../common/errors/common.errors.js';
import { toDomainError } from '../common/errors/problem.js';
import { clientAddress } from '../common/http/address.js';
import type { AppSocket } from '../common/ws/gateway.js';
import { Config } from '../config/config.js';
import { Handshake } from './handshake.js';
import { UnknownNamespace } from './realtime.errors.js';
import { Refusals } from './refusals.js';
import { queueOf } from './socket-queue.js';
import { Sockets } from './sockets.js';

const SIGN_IN_SECONDS = 10;
/** Socket.IO's own method, in which it restores a lost socket. */
const CREATE_SOCKET = '_createSocket';
type CreateSocket = (client: unknown, auth: Record<string, unknown>) => Promise<unknown>;

/** A connection made inside of the server may say whose it is; nothing that comes over the network can. */
interface InnerConnection {
  readonly principal?: Principal;
  /** Called when it is in its rooms. */
  welcomed?(): void;
}

/** Who may connect to a namespace, and what is done for a connection before its first message. */
@Injectable()
export class Connections {
  constructor(
    private readonly handshake: Handshake,
    private readonly sockets: Sockets,
    private readonly refusals: Refusals,
    private readonly config: Config,
  ) {}

  /** Clients connect to a namespace that has a gateway: `/` has none, and names that someone makes up. */
  refuseUnknownNamespaces(io: Server): void {
    // Socket.IO makes a namespace for such a name, and forgets it when this refusal is sent.
    const madeUp = io.of((_name, _auth, next) => next(null, true));
    for (const unknown of [io.of('/'), madeUp]) {
      unknown.use((_socket, next) => next(this.refusals.connectError(new UnknownNamespace())));
    }
  }

  /** From now on connections to the namespace are checked and welcomed. */
  guard(namespace: Namespace): void {
    this.restoreOnlyToOwners(namespace);
    namespace.use((socket: AppSocket, next) => {
      void this.admit(socket, next);
    });
    namespace.on('connection', (socket: AppSocket) => {
      this.forgetCredentials(socket);
      // Before its first message: what the welcome does must not undo what that message asks for.
      void queueOf(socket)(() => this.welcome(socket)).then(() => (socket.conn as InnerConnection).welcomed?.());
    });
  }

  /** Socket.IO gives a lost socket, and what it missed, to any connection that knows its id; here only to its owner. */
  private restoreOnlyToOwners(namespace: Namespace): void {
    const inside = namespace as unknown as Record<string, CreateSocket>;
    const create = inside[CREATE_SOCKET]!.bind(namespace);
    inside[CREATE_SOCKET] = (client, auth) =>
      typeof auth.pid === 'string'
        ? this.handshake.runAsClaimant(namespace.name, auth, () => create(client, auth))
        : create(client, auth);
  }

  private async admit(socket: AppSocket, next: (refusal?: Error) => void): Promise<void> {
    let refusal: Error | undefined;
    try {
      const { principal } = socket.conn as InnerConnection;
      socket.data.principal = principal
        ? this.handshake.requireAllowed(socket.nsp.name, principal)
        : ((await this.handshake.admit(socket.nsp.name, socket.handshake.auth)) ?? undefined);
    } catch (thrown) {
      refusal = this.refusals.connectError(thrown);
    }
    next(refusal);
  }

  /** Servers tell each other of their sockets with the handshake: its token or key must not travel, or be stored. */
  private forgetCredentials(socket: AppSocket): void {
    const { headers, address: remote } = socket.handshake;
    const address = clientAddress(headers['x-forwarded-for'], remote, this.config.TRUST_PROXY_HOPS);
    Object.assign(socket.handshake, { address, auth: {}, headers: {}, query: {}, url: '' });
  }

  private async welcome(socket: AppSocket): Promise<void> {
    const { principal } = socket.data;
    if (!principal) return this.waitForSignIn(socket);
    const welcomed = socket.recovered
      ? this.sockets.welcomeBack(socket, principal)
      : this.sockets.enter(socket, principal);
    await welcomed.catch((thrown: unknown) => {
      this.refusals.refuseMessage(socket, 'connect', toDomainError(thrown), { thrown });
      socket.disconnect(true);
    });
  }

  /** Cuts off a socket that does not sign in by a message in time. */
  private waitForSignIn(socket: AppSocket): void {
    // Again and again: a sign-in that fails on its way leaves it without one.
    const timer = setInterval(() => {
      if (socket.data.principal) return;
      const late = new NotSignedIn(`No sign-in within ${SIGN_IN_SECONDS} s.`);
      this.refusals.refuseMessage(socket, 'connect', late);
      socket.disconnect(true);
    }, SIGN_IN_SECONDS * 1000);
    socket.once('disconnect', () => clearInterval(timer));
  }
}
