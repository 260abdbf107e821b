import { randomInt } from 'node:crypto';
import type { Actor } from '../common/actor/actor.js';
import { RECEPTION, RECEPTION_AND_MEMBERS } from '../common/actor/roles.js';
import { renderSVG } from 'uqr';

// What a pass shows: a temporary password that is read out at a desk, and a QR code that is shown to a door.

/** Without what is taken for another when it is read out or written by hand: O 0, I 1 L, B 8, S 5, Z 2, G 6, U V. */
const LETTERS = 'ACDEFHJKMNPQRTVWXY';
const DIGITS = '23456789';
const FORM = [LETTERS, LETTERS, DIGITS, DIGITS, LETTERS, LETTERS];

/** Two letters, two digits, two letters: `KF47RA`. */
export const newTemporaryPassword = (): string => FORM.map((signs) => signs[randomInt(signs.length)]).join('');

/** Who sees the code of a pass: those who hand passes out, and members their own. */
export const seesCode = (actor: Actor): boolean => actor.is(...RECEPTION_AND_MEMBERS);
/** Who sees the password for the first sign-in, until it is changed. */
export const seesTemporaryPassword = (actor: Actor): boolean => actor.is(...RECEPTION);

/** Light squares around a code, by which a reader finds it: ISO 18004 asks for four. */
const QUIET_ZONE = 4;

/** The picture of a code: dark on white, whatever is behind it. */
export const drawQr = (code: string): string => renderSVG(code, { ecc: 'M', border: QUIET_ZONE });
