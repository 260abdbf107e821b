import { Module } from '@nestjs/common';
import { DevicesModule } from '../../devices/devices.module.js';
import { SlotsModule } from '../../slots/slots.module.js';
import { DeviceReadSockets } from './device-read.sockets.js';
import { PublicDay } from './public-day.js';
import { ReroDesk } from './rero-desk.js';
import { ReroPeople } from './rero-people.js';
import { ReroSlotsController } from './rero-slots.controller.js';
import { SlotBookingSockets } from './slot-booking.sockets.js';
import { PageCookie } from './viewer-cookie.js';

/** For clients of ReRo: hours and lab boards of one gym, at the root. */
@Module({
  imports: [DevicesModule, SlotsModule],
  controllers: [ReroSlotsController],
  providers: [PublicDay, ReroPeople, ReroDesk, PageCookie, SlotBookingSockets, DeviceReadSockets],
})
export class ReroSlotsModule {}
