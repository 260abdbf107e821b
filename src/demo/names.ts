import type { Random } from './random.js';

export const FIRST = [
  ...['Ana', 'Bruno', 'Carla', 'Diego', 'Elena', 'Felipe', 'Gabriela', 'Hugo', 'Inés', 'Javier', 'Karen', 'Luis'],
  ...['María', 'Nicolás', 'Olivia', 'Pablo', 'Quentin', 'Rosa', 'Sofía', 'Tomás', 'Úrsula', 'Valentina', 'Walter'],
  ...['Ximena', 'Yasmin', 'Zoë', 'Aisha', 'Björn', 'Chloé', 'Dmitri', 'Emma', 'Farid', 'Grace', 'Hannah', 'Ivan'],
  ...['Julia', 'Kenji', 'Leila', 'Mateo', 'Noah'],
];
export const LAST = [
  ...['Álvarez', 'Becker', 'Castro', 'Dubois', 'Evans', 'Fernández', 'García', 'Hansen', 'Ibáñez', 'Johnson', 'Kim'],
  ...['López', 'Müller', 'Núñez', 'O’Connor', 'Pereira', 'Quispe', 'Rossi', 'Silva', 'Torres', 'Ueda', 'Vargas'],
  ...[
    'Wagner',
    'Xu',
    'Yılmaz',
    'Zapata',
    'Andersson',
    'Brown',
    'Cohen',
    'Díaz',
    'Eriksen',
    'Flores',
    'Gómez',
    'Haddad',
  ],
];

export const fullName = (random: Random): string => `${random.pick(FIRST)} ${random.pick(LAST)} ${random.pick(LAST)}`;

/** A name as the part of an email before the @: letters and dots only. */
export const mailbox = (name: string): string =>
  name
    .normalize('NFD')
    .toLowerCase()
    .replace(/[^a-z ]/g, '')
    .trim()
    .replace(/ +/g, '.');
