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

/** First and last names. */
export type Names = readonly [readonly string[], readonly string[]];
export const EVERYWHERE: Names = [FIRST, LAST];
export const EGYPT: Names = [
  [
    ...['Ahmed', 'Amina', 'Aya', 'Basma', 'Farida', 'Hana', 'Hassan', 'Heba', 'Hossam', 'Khaled', 'Laila', 'Maha'],
    ...['Mahmoud', 'Mariam', 'Mona', 'Mostafa', 'Nour', 'Rania', 'Sherif', 'Tarek', 'Yara', 'Youssef', 'Zeinab'],
  ],
  [
    ...['Abbas', 'Abdel Aziz', 'Badawi', 'El Sayed', 'Fahmy', 'Gaber', 'Hamdy', 'Ismail', 'Kamel', 'Mansour', 'Naguib'],
    ...['Osman', 'Ragab', 'Saleh', 'Shaheen', 'Soliman', 'Tawfik', 'Wahba', 'Zaki'],
  ],
];

export const fullName = (random: Random, [first, last]: Names): string =>
  `${random.pick(first)} ${random.pick(last)} ${random.pick(last)}`;

/** A name as the part of an email before the @: letters and dots only. */
export const mailbox = (name: string): string =>
  name
    .normalize('NFD')
    .toLowerCase()
    .replace(/[^a-z ]/g, '')
    .trim()
    .replace(/ +/g, '.');
