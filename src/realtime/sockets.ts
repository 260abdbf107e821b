import { Injectable } from '@nestjs/common';
import { OnEvent } from '@nestjs/event-emitter';
import type { Server } from 'socket.io';
import { AccessChanged } from '../auth/auth.events.js';
import type { Principal } from '../common/actor/actor.js';
import type { DomainError } from '../common/errors/domain-error.js';
import { toDomainError } from '../common/errors/problem.js';
import { type AppSocket, SocketDoor } from '../common/ws/gateway.js';
import { Notifications } from '../database/notifications.js';
import type { RealtimeHealthDto } from './dto/realtime.dto.js';
import { Handshake } from './handshake.js';
import { MessageTable } from './message-table.js';

/** The room of a gym; null: of those who watch all gyms. */
export const gymRoom = (gymId: number | null): string => `gym:${gymId ?? 'all'}`;
/** The room of a person: all their devices. */
export const userRoom = (userId: number): string => `user:${userId}`;
const deviceRoom = (deviceId: number): string => `device:${deviceId}`;

/** The sockets of this server: lets them in, to the rooms that are theirs, and out when they must go. */
@Injectable()
export class Sockets extends SocketDoor {
  io: Server | null = null;
  /** Called when all that has happened is told, before connections end. */
  readonly beforeClose: (() => void)[] = [];

  constructor(
    private readonly handshake: Handshake,
    private readonly table: MessageTable,
    notifications: Notifications,
  ) {
    super();
    notifications.listen('access_changed', (userId) => void this.recheck(userRoom(Number(userId))));
    notifications.listen('device_changed', (deviceId) => this.cutOff(deviceRoom(Number(deviceId))));
    // A change that was announced while we did not listen may concern any of them.
    notifications.onReset(() => void this.recheck());
  }

  async authenticate(socket: AppSocket, accessToken: string): Promise<void> {
    await this.enter(socket, await this.handshake.personOfToken(socket.nsp.name, accessToken));
  }

  async enter(socket: AppSocket, principal: Principal): Promise<void> {
    this.handshake.requireAllowed(socket.nsp.name, principal);
    await leaveRooms(socket);
    socket.data.principal = principal;
    try {
      const rooms = [gymRoom(principal.scope().gym_id)];
      if (principal.user_id !== null) rooms.push(userRoom(principal.user_id));
      if ('device_id' in principal && principal.device_id !== null) rooms.push(deviceRoom(principal.device_id));
      await socket.join(rooms);
      await this.confirmPrincipal(socket, principal);
      if (!socket.connected) return;
      for (const gateway of this.table.gatewaysOf(socket.nsp.name)) await gateway.onSignedIn?.(socket, principal);
    } catch (error) {
      await this.signOut(socket);
      throw error;
    }
  }

  /** A socket that was away for a moment is back in its rooms. */
  async welcomeBack(socket: AppSocket, principal: Principal): Promise<void> {
    await this.confirmPrincipal(socket, principal);
    for (const gateway of this.table.gatewaysOf(socket.nsp.name)) await gateway.onReturned?.(socket, principal);
  }

  health(): RealtimeHealthDto {
    const users = new Set<number>();
    const gyms = new Set<number | null>();
    let connections = 0;
    for (const { data } of this.ofThisServer()) {
      connections++;
      const { principal } = data;
      if (!principal) continue;
      if (principal.user_id !== null) users.add(principal.user_id);
      gyms.add(principal.scope().gym_id);
    }
    return {
      active_connections: connections,
      connected_users: users.size,
      gym_subscriptions: gyms.size,
      status: 'ok',
    };
  }

  /** This server need not wait to be told of what it did itself. */
  @OnEvent(AccessChanged.name)
  onAccessChanged({ user_id }: AccessChanged): void {
    void this.recheck(userRoom(user_id));
  }

  /** Those of this server in the room, or all. */
  *ofThisServer(room?: string, namespaces: Iterable<string> = this.table.namespaces.keys()): Generator<AppSocket> {
    for (const namespace of namespaces) {
      const nsp = this.io?.of(namespace);
      if (!nsp) return;
      const ids = room === undefined ? nsp.sockets.keys() : (nsp.adapter.rooms.get(room) ?? []);
      for (const id of [...ids]) {
        const socket = nsp.sockets.get(id);
        if (socket) yield socket;
      }
    }
  }

  private async recheck(room?: string): Promise<void> {
    for (const socket of this.ofThisServer(room)) {
      const { principal } = socket.data;
      if (!principal) continue;
      try {
        await this.confirmPrincipal(socket, principal);
      } catch (thrown) {
        const error = toDomainError(thrown);
        // While the database is away for a moment, all stay signed in.
        if (error.kind.status === 401) sendAway(socket, error);
      }
    }
  }

  /** Asks again once the socket is in its rooms: a sign-out just before did not find it there. */
  private async confirmPrincipal(socket: AppSocket, principal: Principal): Promise<void> {
    const confirmed = await this.handshake.confirmedPrincipal(principal);
    // Meanwhile it may have been signed out, or in as another.
    if (socket.data.principal === principal) socket.data.principal = confirmed;
  }

  /** As if it had never signed in: it may try again. */
  private async signOut(socket: AppSocket): Promise<void> {
    await leaveRooms(socket);
    try {
      for (const gateway of this.table.gatewaysOf(socket.nsp.name)) await gateway.handleDisconnect?.(socket);
    } finally {
      socket.data.principal = undefined;
    }
  }

  private cutOff(room: string): void {
    for (const socket of this.ofThisServer(room)) socket.disconnect(true);
  }
}

/** All but its own. */
async function leaveRooms(socket: AppSocket): Promise<void> {
  for (const room of socket.rooms) if (room !== socket.id) await socket.leave(room);
}

function sendAway(socket: AppSocket, error: DomainError): void {
  socket.emit('error', { code: error.kind.code, error: error.message });
  socket.disconnect(true);
}
