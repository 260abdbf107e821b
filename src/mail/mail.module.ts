import { Module } from '@nestjs/common';
import { DashboardModule } from '../dashboard/dashboard.module.js';
import { MailService } from './mail.service.js';
import { Mailer } from './mailer.js';

@Module({ imports: [DashboardModule], providers: [MailService, Mailer], exports: [MailService] })
export class MailModule {}
