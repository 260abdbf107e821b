import { describe, expect, it } from '@jest/globals';
import { Actor, DeviceActor } from '../../common/actor/actor.js';
import { GymInactive } from '../../gyms/gyms.errors.js';
import { Refused } from '../plain/plain-connection.js';
import {
  countDevices,
  idIn,
  idsOfConsoles,
  isOfWrongGym,
  LOGIN_TEXTS,
  nonsenseFrame,
  textOf,
  TO_CONSOLE,
  TO_DEVICE,
  translator,
} from './fastapi-gym.wire.js';

const refused = (code: string, data = {}) => new Refused(code, 'English', undefined, data);

describe('the frames of fastapi-gym', () => {
  it('take ids as numbers and as their digits', () => {
    for (const id of [7, '7', '07']) expect(idIn(id)).toBe(7);
    for (const none of [0, -1, 1.5, 2_147_483_648, '', 'x', '7 ', '1e3', null, undefined, true, {}, []]) {
      expect(idIn(none)).toBeUndefined();
    }
  });

  it('say in Spanish why not, whatever it is', () => {
    expect(textOf(refused('user_not_found'), '-')).toBe('Usuario no encontrado');
    expect(textOf(refused('fields_invalid'), 'Falta')).toBe('Falta');
    expect(textOf(refused('internal_error'), '-')).toBe('Error del servidor; inténtelo de nuevo');
    expect(textOf(new GymInactive(), '-', LOGIN_TEXTS)).toBe('Sin acceso a este gimnasio');
    expect(isOfWrongGym(refused('fields_invalid', { errors: [{ field: 'gym_id', message: 'x' }] }))).toBe(true);
    expect(isOfWrongGym(refused('fields_invalid', { errors: [{ field: 'login_data.email' }] }))).toBe(false);
    expect(isOfWrongGym(refused('wrong_credentials'))).toBe(false);
    expect(nonsenseFrame('too_many')).toEqual({
      ...{ type: 'error', error: 'Demasiados mensajes', timestamp: expect.stringMatching(/Z$/) },
    });
  });

  it('are made once of a broadcast, and only of what the clients know', () => {
    const toConsole = translator(TO_CONSOLE);
    const payload = { user_id: 7, full_name: 'Ana' };
    const frame = toConsole('user_established', payload);
    expect(frame).toEqual({ type: 'user_established', user_id: '7', full_name: 'Ana' });
    expect(toConsole('user_established', payload)).toBe(frame);
    const strange = { user_id: null, read_user_id: 9, allowed: false, reason: 'unknown', user: null };
    expect(toConsole('user_found', strange)).toEqual({ type: 'user_found', user_id: '9' });
    const byCode = { user_id: 8, read_user_id: null, allowed: true, reason: null, user: null };
    expect(toConsole('user_found', byCode)).toEqual({ type: 'user_found', user_id: '8' });
    expect(toConsole('error', { code: 'device_gone', error: 'x' })).toEqual({
      ...{ type: 'error', error: 'No se encontró la conexión del gimnasio' },
    });
    for (const event of ['access_alarm', 'error', 'toString', 'user']) {
      expect(toConsole(event, { code: 'user_not_found' })).toBeNull();
    }
    const toDevice = translator(TO_DEVICE);
    expect(toDevice('user', { user_id: 7 })).toEqual({ type: 'user', user_id: '7' });
    expect(toDevice('error', { code: 'console_gone' })).toEqual({
      ...{ type: 'error', error: 'No se encontró la conexión del usuario' },
    });
    for (const event of ['access', 'connected', 'told', 'upload']) expect(toDevice(event, {})).toBeNull();
  });

  it('count consoles once a person, and devices by gym', () => {
    const those = [
      ...[undefined, new Actor(1, 'trainer', 5, 1), new Actor(1, 'trainer', 5, 2), new Actor(2, 'user', 5, 3)],
      ...[new DeviceActor(1, 5, 'fingerprint', 0), new DeviceActor(null, 5, 'fingerprint', 0, 1)],
      new DeviceActor(2, 6, 'qr', 0),
    ];
    expect(idsOfConsoles(those)).toEqual(['1']);
    expect(countDevices(those)).toEqual({ 5: 2, 6: 1 });
  });
});
