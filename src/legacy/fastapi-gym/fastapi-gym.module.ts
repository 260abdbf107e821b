import { Module } from '@nestjs/common';
import { ConsoleSockets } from './console.sockets.js';
import { DeviceSockets } from './device.sockets.js';
import { SocketHealthController } from './socket-health.controller.js';

/** Fingerprint devices and the consoles of the desk (docs/legacy/fastapi-gym.md). Their REST is the public API. */
@Module({
  controllers: [SocketHealthController],
  providers: [DeviceSockets, ConsoleSockets],
})
export class FastapiGymModule {}
