import bcrypt from 'bcryptjs';

export type PasswordTask = { password: string; hash: string } | { password: string; rounds: number };

/** Runs on a thread of its own: bcryptjs does not yield. */
export default (task: PasswordTask): string | boolean =>
  'hash' in task ? bcrypt.compareSync(task.password, task.hash) : bcrypt.hashSync(task.password, task.rounds);
