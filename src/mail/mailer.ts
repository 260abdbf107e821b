import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import nodemailer from 'nodemailer';
import { Config } from '../config/config.js';
import { type Mail, oneLine } from './templates.js';

/** A server that does not answer must not keep a job for long; it is tried again later. */
const TIMEOUT_MS = 20_000;

/** Sends mail. */
@Injectable()
export class Mailer implements OnApplicationShutdown {
  private readonly logger = new Logger('Mail');
  private readonly transport;

  constructor(private readonly config: Config) {
    const timeouts = { connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS };
    const { SMTP_URL: url } = config;
    this.transport = url
      ? nodemailer.createTransport({ url, pool: true, maxConnections: 2, ...timeouts }, { from: config.MAIL_FROM })
      : null;
  }

  /** @throws if the mail server does not take it */
  async send(to: { name: string; address: string }, mail: Mail): Promise<void> {
    if (this.transport) {
      await this.transport.sendMail({ to: { ...to, name: oneLine(to.name) }, ...mail });
      return;
    }
    const { subject, text } = mail;
    // Who reads the log in development is the developer, and needs the link.
    const shown = this.config.production ? {} : { to: to.address, subject, text };
    this.logger.warn('A mail was not sent: set SMTP_URL.', shown);
  }

  onApplicationShutdown(): void {
    this.transport?.close();
  }
}
