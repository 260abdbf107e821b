import { Module } from '@nestjs/common';
import { MembersController } from './members.controller.js';
import { MembersService } from './members.service.js';
import { SearchService } from './search.service.js';

@Module({ controllers: [MembersController], providers: [MembersService, SearchService], exports: [MembersService] })
export class MembersModule {}
