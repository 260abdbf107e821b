import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { SocketDoor } from '../common/ws/gateway.js';
import { AttendanceModule } from '../attendance/attendance.module.js';
import { DevicesModule } from '../devices/devices.module.js';
import { Broadcaster } from './broadcaster.js';
import { ChatBroadcaster } from './chat-broadcaster.js';
import { ChatModule } from '../chat/chat.module.js';
import { Cluster } from './cluster.js';
import { Connections } from './connections.js';
import { Handshake } from './handshake.js';
import { IncomingMessages } from './incoming-messages.js';
import { MessageTable } from './message-table.js';
import { PostgresRelay } from './postgres-relay.js';
import { RealtimeController } from './realtime.controller.js';
import { Refusals } from './refusals.js';
import { SlotsModule } from '../slots/slots.module.js';
import { SlotsWatch } from './slots-watch.js';
import { Sockets } from './sockets.js';

@Global()
@Module({
  imports: [DiscoveryModule, AttendanceModule, ChatModule, DevicesModule, SlotsModule],
  controllers: [RealtimeController],
  providers: [
    Handshake,
    PostgresRelay,
    Cluster,
    MessageTable,
    Sockets,
    { provide: SocketDoor, useExisting: Sockets },
    Refusals,
    Connections,
    IncomingMessages,
    Broadcaster,
    ChatBroadcaster,
    SlotsWatch,
  ],
  exports: [SocketDoor, Cluster, Sockets, Handshake, SlotsWatch],
})
export class RealtimeModule {}
