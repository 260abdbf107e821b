import { ApiProperty } from '@nestjs/swagger';

/** The sockets of the server that answers; each server has its own. */
export class RealtimeHealthDto {
  /** Open connections, of people and devices. @example 12 */
  @ApiProperty({ type: 'integer' })
  active_connections: number;

  /** Different people who are signed in on them. @example 9 */
  @ApiProperty({ type: 'integer' })
  connected_users: number;

  /** Gyms that are watched. @example 2 */
  @ApiProperty({ type: 'integer' })
  gym_subscriptions: number;

  /** @example "ok" */
  status: 'ok';
}
