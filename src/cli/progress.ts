import { Presets, SingleBar } from 'cli-progress';

/** A bar for each kind of work on a terminal; elsewhere a line when it is done. */
export class ProgressBar {
  private bar: SingleBar | undefined;

  show(what: string, done: number, of: number): void {
    if (process.stderr.isTTY) {
      if (!this.bar) {
        const format = `${what.padEnd(20)} {bar} {percentage} %, {duration_formatted}`;
        this.bar = new SingleBar({ format }, Presets.shades_classic);
        this.bar.start(of, 0);
      }
      this.bar.update(done);
    } else if (done === of) process.stdout.write(`${what}: ${of}\n`);
    if (done === of) this.stop();
  }

  /** It draws itself, and keeps the process alive, until then. */
  stop(): void {
    this.bar?.stop();
    this.bar = undefined;
  }
}
