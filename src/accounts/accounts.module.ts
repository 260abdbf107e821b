import { Module } from '@nestjs/common';
import { MembersModule } from '../members/members.module.js';
import { AccountsController } from './accounts.controller.js';
import { AccountsService } from './accounts.service.js';
import { ProfilesController } from './profiles.controller.js';
import { ProfilesService } from './profiles.service.js';

@Module({
  imports: [MembersModule],
  controllers: [AccountsController, ProfilesController],
  providers: [AccountsService, ProfilesService],
  exports: [AccountsService, ProfilesService],
})
export class AccountsModule {}
