import { Global, Module } from '@nestjs/common';
import { EventEmitterModule } from '@nestjs/event-emitter';
import { Database } from './database.js';
import { Notifications } from './notifications.js';

@Global()
@Module({
  imports: [EventEmitterModule.forRoot()],
  providers: [Database, Notifications],
  exports: [Database, Notifications],
})
export class DatabaseModule {}
