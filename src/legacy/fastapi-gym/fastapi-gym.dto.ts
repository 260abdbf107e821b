import { ApiProperty } from '@nestjs/swagger';

/** The sockets of the server that answers, plain ones and those of Socket.IO. */
export class SocketHealthDto {
  /** All that are open. @example 5 */
  @ApiProperty({ type: 'integer' })
  active_connections: number;

  /** The staff whose consoles are connected. @example ["123"] */
  connected_users: string[];

  /** Signed-in devices, by gym. @example {"1": 2} */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'integer' } })
  gym_subscriptions: Record<string, number>;

  /** @example "healthy" */
  status: 'healthy';
}
