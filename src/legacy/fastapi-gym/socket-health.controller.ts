import { Get } from '@nestjs/common';
import { PUBLIC } from '../../common/actor/access.js';
import { Sockets } from '../../realtime/sockets.js';
import { LegacyController, Wire } from '../wire/route.js';
import { SocketHealthDto } from './fastapi-gym.dto.js';
import { countDevices, idsOfConsoles } from './fastapi-gym.wire.js';

@LegacyController('fastapi-gym', 'ws')
export class SocketHealthController {
  constructor(private readonly sockets: Sockets) {}

  @Get('health')
  @Wire({ summary: 'The sockets of this server', roles: PUBLIC, answer: SocketHealthDto })
  health(): SocketHealthDto {
    const those = [...this.sockets.ofThisServer(undefined, ['/devices'])].map(({ data }) => data.principal);
    return {
      active_connections: this.sockets.health().active_connections,
      connected_users: idsOfConsoles(those),
      gym_subscriptions: countDevices(those),
      status: 'healthy',
    };
  }
}
