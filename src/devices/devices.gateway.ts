import { ConnectedSocket, type OnGatewayDisconnect } from '@nestjs/websockets';
import { AccountInactive, WrongCredentials } from '../auth/auth.errors.js';
import { type Admission, PasswordProof } from '../auth/password-proof.service.js';
import { PUBLIC } from '../common/actor/access.js';
import { DeviceActor, type Principal } from '../common/actor/actor.js';
import { DESK } from '../common/actor/roles.js';
import { OtherGym, PasswordChangeRequired, RoleNotAllowed } from '../common/errors/common.errors.js';
import { MessageBody } from '../common/http/validation.js';
import { type AppSocket, Gateway, Message, SocketDoor, type Welcoming } from '../common/ws/gateway.js';
import { GymInactive } from '../gyms/gyms.errors.js';
import { consolesRoom, READER, readersRoom } from './device-rooms.js';
import { AlreadySignedIn } from './devices.errors.js';
import { DevicesService } from './devices.service.js';
import { ConnectedDto, DeviceLoginDto } from './dto/device-messages.dto.js';
import { Presence } from './presence.js';

/** Of others it does not matter whether their account is active. */
const requireDesk: Admission = ({ role }) => {
  if (!DESK.some((one) => one === role)) throw new RoleNotAllowed('A reader is signed in by desk staff.');
};

/**
 * `/devices`: devices and the consoles of the staff connect here. Which of them are there is kept in Socket.IO's rooms,
 * which reach over all servers. What they do is in the gateways of the enrolment, the entrance and the boards.
 */
@Gateway('/devices')
export class DevicesGateway implements Welcoming, OnGatewayDisconnect {
  constructor(
    private readonly proof: PasswordProof,
    private readonly devices: DevicesService,
    private readonly presence: Presence,
    private readonly door: SocketDoor,
  ) {}

  async onSignedIn(socket: AppSocket, principal: Principal): Promise<void> {
    if (principal instanceof DeviceActor) {
      if (principal.is(...READER)) await socket.join(readersRoom(principal.gym_id));
      // A member is here to read a board: doors and fingers are nothing of theirs.
    } else if (principal.role !== 'user') await socket.join(consolesRoom(principal.scope().gym_id));
    this.onReturned(socket, principal);
  }

  onReturned(socket: AppSocket, principal: Principal): void {
    if (!socket.connected || !(principal instanceof DeviceActor)) return;
    if (principal.device_id !== null) this.presence.deviceArrived(socket.id, principal.device_id);
  }

  handleDisconnect({ id, data: { principal } }: AppSocket): void {
    if (principal instanceof DeviceActor) this.presence.deviceLeft(id);
  }

  @Message('login', {
    summary: 'From a reader without a key: staff signs it in',
    roles: PUBLIC,
    payload: DeviceLoginDto,
    answer: { event: 'connected', payload: ConnectedDto },
    errors: [
      AlreadySignedIn,
      WrongCredentials,
      AccountInactive,
      PasswordChangeRequired,
      RoleNotAllowed,
      OtherGym,
      GymInactive,
    ],
  })
  async login(@ConnectedSocket() socket: AppSocket, @MessageBody() body: DeviceLoginDto): Promise<ConnectedDto> {
    if (socket.data.principal) throw new AlreadySignedIn();
    const client = { ip_address: socket.handshake.address, user_agent: 'fingerprint reader' };
    const person = await this.proof.prove(body.login_data, client, requireDesk);
    const reader = await this.devices.signIn(person, body.gym_id);
    await this.door.enter(socket, reader);
    return { gym_id: reader.gym_id, message: 'Connected' };
  }
}
