import { DeviceActor, type Principal } from '../../common/actor/actor.js';
import { fromDigits, MAX_ID } from '../../common/http/whole.js';
import type { AccessDto } from '../../devices/dto/access.dto.js';
import type {
  StartEnrollmentDto,
  TemplatePageDto,
  ToldDto,
  UserRefDto,
} from '../../devices/dto/device-messages.dto.js';
import type { ServerEvents } from '../../realtime/event-map.js';
import { codeOf } from '../plain/plain-connection.js';
import type { Nonsense } from '../plain/plain-socket.js';

/** What the clients know word for word. */
export const WRONG_CREDENTIALS = 'Correo electrónico o contraseña incorrectos';
export const NOT_OF_THIS_GYM = 'Sin acceso a este gimnasio';
export const NO_SUCH_USER = 'Usuario no encontrado';
export const NO_FINGER = 'Datos de huella digital faltantes';
export const NO_CONSOLE = 'No se encontró la conexión del usuario';
export const NO_DEVICE = 'No se encontró la conexión del gimnasio';
export const SIGN_IN_FIRST = 'Inicie sesión primero';
export const UNKNOWN_TYPE = 'Tipo de mensaje desconocido';

const TEXTS: Record<string, string> = {
  not_signed_in: SIGN_IN_FIRST,
  role_not_allowed: NOT_OF_THIS_GYM,
  // A device of another gym is none to this console.
  other_gym: NO_DEVICE,
  user_not_found: NO_SUCH_USER,
  console_gone: NO_CONSOLE,
  device_gone: NO_DEVICE,
  no_device_connected: NO_DEVICE,
  // These they do not know, and show.
  already_signed_in: 'La sesión ya está iniciada',
  device_busy: 'El lector está ocupado con otra consola',
  no_member_chosen: 'Seleccione primero un usuario',
  other_member_chosen: 'La consola ha seleccionado a otro usuario',
  password_change_required: 'Cambie primero su contraseña temporal',
  too_many_requests: 'Demasiados intentos; espere un momento',
};
/** Where they are others for a device that signs in. */
export const LOGIN_TEXTS: Record<string, string> = {
  ...TEXTS,
  wrong_credentials: WRONG_CREDENTIALS,
  role_not_allowed: 'Los usuarios no pueden iniciar sesión en el sistema',
  account_inactive: 'Usuario inactivo',
  other_gym: NOT_OF_THIS_GYM,
  gym_inactive: NOT_OF_THIS_GYM,
};
const OUR_FAULT = 'Error del servidor; inténtelo de nuevo';

type Refusal = Parameters<typeof codeOf>[0];

/** @param wrongField what is said of a frame with a wrong field */
export function textOf(refusal: Refusal, wrongField: string, texts = TEXTS): string {
  const code = codeOf(refusal);
  return code === 'fields_invalid' ? wrongField : (texts[code] ?? OUR_FAULT);
}

/** Whether the path names no gym: that is no wrong password. */
export function isOfWrongGym(refusal: Refusal): boolean {
  const { errors = [] } = refusal.data as { errors?: { field: string }[] };
  return errors.some(({ field }) => field === 'gym_id');
}

const NONSENSE: Record<Nonsense, string> = {
  no_json: 'Formato JSON inválido',
  no_object: 'Formato JSON inválido',
  too_large: 'Mensaje demasiado grande',
  too_many: 'Demasiados mensajes',
};

export const errorFrame = (error: string) => ({ type: 'error', error });
export const nonsenseFrame = (problem: Nonsense) => ({
  ...errorFrame(NONSENSE[problem]),
  timestamp: new Date().toISOString(),
});

/** An id in a frame: a number, or its digits. undefined: it is none. */
export function idIn(value: unknown): number | undefined {
  const id = fromDigits(value);
  return typeof id === 'number' && Number.isInteger(id) && id >= 1 && id <= MAX_ID ? id : undefined;
}

export const startEnrollment = ({ user_id, full_name, email }: StartEnrollmentDto) => ({
  type: 'start_enrollment',
  ...{ user_id: String(user_id), full_name, email },
});

export const stored = ({ user_id }: UserRefDto) => ({
  type: 'fingerprint_stored',
  ...{ message: 'Huella digital almacenada exitosamente', user_id: String(user_id) },
});

export const access = ({ allowed, reason, user }: Pick<AccessDto, 'allowed' | 'reason' | 'user'>) => ({
  type: 'access',
  ...{ allowed, reason, user: user && { ...user, id: String(user.id) } },
});

export const templates = ({ data }: TemplatePageDto) => ({
  type: 'template_data_set',
  data: data.map(({ id, ...template }) => ({ id: String(id), ...template })),
});

/** What is said to a device whose frame goes on to consoles; nothing, if one has it. */
export const unheard = ({ consoles }: ToldDto) => (consoles === 0 ? [errorFrame(NO_CONSOLE)] : []);

type Devices = ServerEvents['/devices'];
type Events = { [Event in keyof Devices]: (payload: Devices[Event]) => object | null };

const NEWS_OF_CONSOLES = {
  user: ({ user_id }) => ({ type: 'user', user_id: String(user_id) }),
  error: ({ code }) => (code === 'console_gone' ? errorFrame(NO_CONSOLE) : null),
} satisfies Partial<Events>;

/** What a device hears; what is left out is the answer to a frame of its own, or not known to it. */
export const TO_DEVICE = {
  ...NEWS_OF_CONSOLES,
  download_templates_completed: () => ({ type: 'download_templates_completed' }),
};

/** What a console hears: the frames of the devices. */
export const TO_CONSOLE: Partial<Events> = {
  user_established: ({ user_id, full_name }) => ({ type: 'user_established', user_id: String(user_id), full_name }),
  finger1_captured: () => ({ type: 'finger1_captured' }),
  enrollment_completed: ({ user_id }) => ({ type: 'enrollment_completed', user_id: textId(user_id) }),
  user_found: ({ read_user_id, user_id }) => ({ type: 'user_found', user_id: textId(read_user_id ?? user_id) }),
  user_not_found: () => ({ type: 'user_not_found' }),
  error: ({ code }) => (code === 'device_gone' ? errorFrame(NO_DEVICE) : null),
};

/** A reader may say of none; a turnstile knows a code only. */
const textId = (id: number | null): string | null => (id === null ? null : String(id));

/** Translates each broadcast once, for all sockets that hear it. */
export function translator(events: Partial<Record<string, (payload: never) => object | null>>) {
  const translated = new WeakMap<object, object | null>();
  return (event: string, payload: unknown): object | null => {
    if (!Object.hasOwn(events, event)) return null;
    let frame = translated.get(payload as object);
    if (frame === undefined) translated.set(payload as object, (frame = events[event]!(payload as never)));
    return frame;
  };
}

/** Those of `/devices` who are staff. */
export function idsOfConsoles(principals: (Principal | undefined)[]): string[] {
  const consoles = principals.filter((one) => one && !(one instanceof DeviceActor) && one.role !== 'user');
  return [...new Set(consoles.map((one) => String(one!.user_id)))];
}

export function countDevices(principals: (Principal | undefined)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const one of principals) {
    if (one instanceof DeviceActor) counts[one.gym_id] = (counts[one.gym_id] ?? 0) + 1;
  }
  return counts;
}
