export interface Step {
  /** From a client of this kind to the server, or from the server to it. */
  who: 'console' | 'reader';
  direction: 'from_client' | 'from_server';
  event: string;
  meaning: string;
}

export interface Sequence {
  title: string;
  description: string;
  steps: Step[];
}

const step = (who: Step['who'], direction: Step['direction'], event: string, meaning: string): Step => ({
  who,
  direction,
  event,
  meaning,
});

/** What several events do together, by the namespace. */
export const SEQUENCES: Record<string, Sequence[]> = {
  '/devices': [
    {
      title: 'How the fingers of a member are enrolled',
      description:
        'A console of the staff chooses the member, a reader takes two fingers. A reader may begin by itself, with its ' +
        '`user`; then all consoles of the gym are told. If one of the two loses its connection, the other gets an ' +
        '`error`, and the enrolment is over.',
      steps: [
        step('console', 'from_client', 'fingerprint_connected', 'Is a reader of the gym connected?'),
        step('console', 'from_server', 'fingerprint_connection_stablished', 'Yes. If not, it is refused.'),
        step('console', 'from_client', 'user', 'Enrol this member, on a reader that is free.'),
        step('reader', 'from_server', 'user', 'The server has chosen this reader.'),
        step('reader', 'from_client', 'user', 'The reader takes the member.'),
        step('reader', 'from_server', 'start_enrollment', 'Who it is, for the display of the reader.'),
        step('console', 'from_server', 'user_established', 'The reader waits for the finger.'),
        step('reader', 'from_client', 'store_fingerprint', 'The template of the first finger, with `finger` 1.'),
        step('reader', 'from_server', 'fingerprint_stored', 'It is stored.'),
        step('reader', 'from_client', 'finger1_captured', 'Now the second finger.'),
        step('console', 'from_server', 'finger1_captured', 'The same, for the console.'),
        step('reader', 'from_client', 'store_fingerprint', 'The template of the second finger, with `finger` 2.'),
        step('reader', 'from_server', 'fingerprint_stored', 'It is stored.'),
        step('reader', 'from_client', 'enrollment_completed', 'All is done; the reader is free again.'),
        step('console', 'from_server', 'enrollment_completed', 'The same, for the console.'),
      ],
    },
  ],
};
