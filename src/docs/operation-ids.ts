/** What a controller is about, where its name does not say it: one, and several. */
const THINGS: Record<string, [one: string, several: string]> = {
  Auth: ['Session', 'Sessions'],
  Branches: ['Branch', 'Branches'],
  Members: ['User', 'Users'],
  Passes: ['Pass', 'Passes'],
  Staff: ['StaffMember', 'Staff'],
  Inventory: ['Product', 'Products'],
  Attendance: ['Visit', 'Visits'],
  Chat: ['Conversation', 'Conversations'],
  Dashboard: ['Dashboard', 'Dashboards'],
  Realtime: ['Realtime', 'Realtime'],
};

/** What is not called by a verb and its thing. */
const NAMES: Record<string, string> = {
  'Auth.register': 'register',
  'Auth.login': 'login',
  'Auth.refresh': 'refresh',
  'Auth.logout': 'logout',
  'Auth.me': 'getMe',
  'UserPlans.assign': 'assignPlan',
  'UserPlans.deduct': 'deductSession',
  'Members.searchByText': 'searchUsers',
  'Members.searchByDocument': 'findUserByDocument',
  'Members.searchByPhone': 'findUsersByPhone',
  'Passes.create': 'createMemberWithoutPlan',
  'Passes.getByQr': 'findMemberByQr',
  'Passes.resetPassword': 'resetMemberPassword',
  'Courses.enrol': 'enrolInCourse',
  'Courses.removeLegacy': 'deleteCourseLegacy',
  'Courses.listMine': 'listMyCourses',
  'Inventory.listLowStock': 'listLowStock',
  'Inventory.listMovements': 'listStockMovements',
  'Inventory.changeStock': 'changeStock',
  'Sales.sell': 'sellProduct',
  'Sales.summarize': 'summarizeSales',
  'Measurements.progress': 'getProgress',
  'Measurements.chart': 'drawProgress',
  'Attendance.checkIn': 'checkIn',
  'Attendance.checkOut': 'checkOut',
  'Attendance.summarize': 'summarizeVisits',
  'Slots.mine': 'listMyBookings',
  'Attachments.read': 'getAttachment',
  'Chat.send': 'sendMessage',
  'Chat.edit': 'editMessage',
  'Chat.remove': 'deleteMessage',
  'Chat.markRead': 'markMessageRead',
  'Devices.ask': 'askAccess',
  'Devices.upload': 'uploadCode',
  'Devices.readSerial': 'getSerialOutput',
  'Devices.rotateKey': 'rotateDeviceKey',
  'Dashboard.show': 'getDashboard',
  'Dashboard.series': 'getSeries',
  'Dashboard.report': 'exportReport',
  'Dashboard.members': 'exportMembers',
  'Realtime.health': 'getRealtimeHealth',
};

/**
 * The name that generated clients give an operation: a verb and what it is about, as `listSales` and `freezeUserPlan`.
 * @param handler its method; of one with several paths `list[0]`, and `list[1]` for the path of older clients
 */
export function operationIdOf(controllerName: string, handler: string): string {
  const [, method, place] = /^(\w+)(?:\[(\d+)\])?$/.exec(handler)!;
  return nameOf(controllerName, method!) + (Number(place) > 0 ? 'Legacy' : '');
}

function nameOf(controllerName: string, method: string): string {
  const controller = controllerName.replace('Controller', '');
  const [one, several] = THINGS[controller] ?? [controller.replace(/s$/, ''), controller];
  const known = NAMES[`${controller}.${method}`];
  if (known) return known;
  const [, verb, rest] = /^([a-z]+)(.*)$/.exec(method)!;
  switch (`${verb} ${rest}`) {
    case 'list ':
      return `list${several}`;
    case 'list Of':
      return `list${several}OfUser`;
    case 'remove ':
      return `delete${one}`;
    case 'current ':
      return `getCurrent${one}`;
  }
  if (/^(Active|Current|Daily|Latest)$/.test(rest!)) return `${verb}${rest}${verb === 'list' ? several : one}`;
  // `getSettings` of slots, but `listSessions`, `changePassword` or `createMemberWithPlan` as they are.
  if (rest === 'Settings') return `${verb}${one}${rest}`;
  return rest ? method : `${verb}${one}`;
}
