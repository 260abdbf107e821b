import { Module } from '@nestjs/common';
import { Config } from '../config/config.js';
import { AttachmentsService } from './attachments.service.js';
import { AttachmentsController, ChatController } from './chat.controller.js';
import { ChatGateway } from './chat.gateway.js';
import { ConversationsService } from './conversations.service.js';
import { Links } from './links.js';
import { MessagesService } from './messages.service.js';
import { openStorage } from './storage/open-storage.js';
import { Storage } from './storage/storage.js';
import { Uploads } from './uploads.js';

@Module({
  controllers: [AttachmentsController, ChatController],
  providers: [
    { provide: Storage, useFactory: openStorage, inject: [Config] },
    ConversationsService,
    MessagesService,
    AttachmentsService,
    Uploads,
    Links,
    ChatGateway,
  ],
  exports: [AttachmentsService, ConversationsService, Links, MessagesService, Uploads],
})
export class ChatModule {}
