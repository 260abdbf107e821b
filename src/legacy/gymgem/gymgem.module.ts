import { Module } from '@nestjs/common';
import { AccountsModule } from '../../accounts/accounts.module.js';
import { ChatModule } from '../../chat/chat.module.js';
import { CoursesModule } from '../../courses/courses.module.js';
import { GymgemAccountsController } from './accounts.controller.js';
import { GymgemChatSockets } from './chat.sockets.js';
import {
  GymgemChatController,
  GymgemConversations,
  GymgemWebAttachmentsController,
  GymgemWebChatController,
} from './conversations.controller.js';
import { GymgemCoursesController } from './courses.controller.js';
import { GymgemSchemaController } from './schema.controller.js';
import {
  GymgemSessionsController,
  GymgemWebSessionsController,
  GymgemWebSignInController,
} from './sessions.controller.js';

/** Clients of GymGem: those of its mobile app and first pages, and later ones at `/gymgem-web`. */
@Module({
  imports: [AccountsModule, ChatModule, CoursesModule],
  controllers: [
    GymgemAccountsController,
    GymgemWebSignInController,
    GymgemSessionsController,
    GymgemWebSessionsController,
    GymgemChatController,
    GymgemWebChatController,
    GymgemWebAttachmentsController,
    GymgemCoursesController,
    GymgemSchemaController,
  ],
  providers: [GymgemConversations, GymgemChatSockets],
})
export class GymgemModule {}
