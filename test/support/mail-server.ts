import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { freePort } from './server-process.js';
import { until } from './until.js';

/** A mail server that keeps what it gets. */
export class MailServer {
  readonly mails: ParsedMail[] = [];
  /** Addresses that it takes no mail for. */
  readonly refused = new Set<string>();
  private server: SMTPServer | undefined;

  private constructor(private readonly port: number) {}

  /** One that does not run yet. */
  static async planned(): Promise<MailServer> {
    return new MailServer(await freePort());
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    this.server = new SMTPServer({
      disabledCommands: ['STARTTLS', 'AUTH'],
      // Connections that senders keep open are cut.
      closeTimeout: 100,
      onRcptTo: ({ address }, _session, done) => done(this.refused.has(address) ? new Error('No such mailbox') : null),
      onData: (stream, _session, done) => {
        simpleParser(stream, (error, mail) => {
          if (mail) this.mails.push(mail);
          done(error);
        });
      },
    });
    await new Promise<void>((resolve) => this.server!.listen(this.port, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => (this.server ? this.server.close(() => resolve()) : resolve()));
  }

  to(address: string): ParsedMail[] {
    return this.mails.filter(({ to }) => [to].flat().some((one) => one?.value[0]?.address === address));
  }

  /** The newest of so many mails to an address, once they have come. */
  async next(address: string, count = 1): Promise<ParsedMail> {
    await until(() => this.to(address).length >= count, `mail ${count} to ${address}`);
    return this.to(address)[count - 1]!;
  }
}
