# English. Ids are stable. <b> and <a> are the only markup; values are never read as markup.
verbatim = { $text }
title-error = Error: { $title }
languages = Languages
help = Help
privacy = Privacy
terms = Terms
optional = (optional)
show = Show
hide = Hide
change = Change
continue = Continue
save = Save
cancel = Cancel
development = Development

## Dates
month =
    { $month ->
        [1] January
        [2] February
        [3] March
        [4] April
        [5] May
        [6] June
        [7] July
        [8] August
        [9] September
        [10] October
        [11] November
       *[12] December
    }
date = { $day } { $month } { $year }
date-time = { $date }, { $time } UTC
ago-now = just now
ago-minutes =
    { $count ->
        [one] one minute ago
       *[other] { $count } minutes ago
    }
ago-hours =
    { $count ->
        [one] one hour ago
       *[other] { $count } hours ago
    }
ago-days =
    { $count ->
        [one] yesterday
       *[other] { $count } days ago
    }

## Fields
field-identifier = E-mail or user name
field-password = Password
field-new-password = New password
field-current-password = Current password
field-code = Code
field-email = E-mail address
field-new-email = New e-mail address
field-username = User name
field-name = Name
field-given-name = First name
field-family-name = Last name
field-locale = Language
field-street = Street and number
field-postal-code = Postal code
field-locality = Town or city
field-region = State or region
field-country = Country
locale-of-browser = As set in the browser
password-rule =
    { $count ->
        [one] At least one character. A few unrelated words make a good password.
       *[other] At least { $count } characters. A few unrelated words make a good password.
    }

## Signing in
identify-title = Sign in
to-continue = to continue to { $application }
new-here = New here?
create-account = Create an account
forgot-password = Forgot your password?
password-title = Enter your password
sign-in = Sign in
not-you = Not you?
another-way = Try another way
code-title = Check your mail
code-sent =
    { $minutes ->
        [one] We sent a six-digit code to <b>{ $destination }</b>. It is good for one minute.
       *[other] We sent a six-digit code to <b>{ $destination }</b>. It is good for { $minutes } minutes.
    }
code-nothing = Nothing there? Look in your spam folder.
send-again = Send it again
resend-in = (in <b>{ $time }</b>)
another-address = Use another address
another-method = Use another method
choose-title = Choose an account
another-account = Use another account

## Consent
consent-title = { $application } asks for access
signed-in-as = signed in as { $identifier }
scope-openid = Know who you are
scope-openid-detail = A name without meaning that stands for you
scope-profile = See your profile
scope-profile-detail = Name and language
scope-email = See your e-mail address
scope-phone = See your phone number
scope-address = See your postal address
scope-offline = Stay connected
scope-offline-detail = Also while you are not using it
consent-until = Allowed until you take it back in your account.
consent-days =
    { $days ->
        [one] Allowed for one day, or until you take it back in your account.
       *[other] Allowed for { $days } days, or until you take it back in your account.
    }
allow = Allow
deny = Deny
consent-own-rules = { $application } has its own rules:
privacy-policy = Privacy policy
terms-of-service = Terms of service

## A new account, a new password
register-title = Create an account
register-for = to continue to { $application }
register-lead = We will send a code to your e-mail address.
have-account = Already have an account?
details-title = Almost done
recover-title = Forgot your password?
recover-lead = Tell us your e-mail address or user name. If there is an account, we send a code to its address.
back-to-sign-in = Back to sign-in
new-password-title = Choose a new password
save-password = Save password

## Links from mails
link-title = Was it you?
link-lead = Confirm that <b>{ $destination }</b> is your address, and go on.
link-confirm = Yes, continue
link-not-you = If you did not ask for this, close this page. Nothing will happen.
link-other-title = Type this code where you began
link-other-lead = You began in another browser or on another device. Type this code there:
link-other-code = Type this code where you began: { $code }
link-other-hint = Never give this code to anybody, not even to us.
link-begin-lead = Not at hand?
link-begin = Begin here instead

## Signing out
logout-title = Sign out?
logout-for = { $application } asks to sign you out.
logout-lead = You will be signed out in this browser.
logout-as = You are signed in as { $identifier }.
sign-out = Sign out
stay-signed-in = Stay signed in
signed-out-title = You are signed out
signed-out-lead = If others use this device too, close the browser.
sign-in-again = Sign in again
back-to = Back to { $application }
deleted-title = Your account is deleted
deleted-lead = We have confirmed it by mail. You can close this page.

## Back to the application
form-post-title = One moment
form-post-for = We are taking you back to { $application }. If nothing happens, press the button.
form-post-lead = We are taking you back to the application. If nothing happens, press the button.

## Errors of fields: each says what to do next
error-identifier-missing = Type your e-mail address or user name.
error-identifier-invalid = This is neither an e-mail address nor a user name. Look for a typing mistake.
error-password-missing = Type your password.
error-password-wrong = That password does not match. Try again, or choose “Forgot your password?”.
error-current-password = That is not your current password. Try again.
error-password-common = Many people use this password, so it is easily guessed. Choose another one.
error-password-similar = This password is too close to your name or address. Choose another one.
error-password-same = This is the password you already have. Choose a new one.
error-password-short =
    { $count ->
        [one] This password is too short. Use at least one character.
       *[other] This password is too short. Use at least { $count } characters.
    }
error-password-long =
    { $count ->
        [one] This password is too long. Use at most one character.
       *[other] This password is too long. Use at most { $count } characters.
    }
error-code-missing = Type the code from the mail.
error-code-wrong =
    { $count ->
        [one] That code does not match. You can try once more.
       *[other] That code does not match. You can try { $count } more times.
    }
error-code-expired = This code is no longer good. Have a new one sent.
error-code-used-up = This code was tried too often. Have a new one sent.
error-code-wait = We have just sent a code. Wait a moment before you ask for another.
error-email-missing = Type your e-mail address.
error-email-invalid = This is not an e-mail address. It looks like name@example.com.
error-email-taken = This address belongs to another account. Use another address.
error-email-unchanged = This is the address you already have. Type the new one.
error-username-taken = Somebody already has this user name. Choose another one.
error-username-invalid = Use 3 to 40 letters, digits, dots, hyphens or underscores.
error-too-long =
    { $count ->
        [one] This is too long. Use at most one character.
       *[other] This is too long. Use at most { $count } characters.
    }
error-unreadable = This contains signs that cannot be shown. Type it again.
error-choice = This choice does not exist. Choose one from the list.
error-too-many =
    { $minutes ->
        [one] That was too often. Wait one minute, or choose a new password.
       *[other] That was too often. Wait { $minutes } minutes, or choose a new password.
    }
error-wait =
    { $minutes ->
        [one] That was too often. Wait one minute and try again.
       *[other] That was too often. Wait { $minutes } minutes and try again.
    }
error-code-form = A code has six digits. Look at the mail again.
error-password-expired = This password has to be replaced. Choose “Forgot your password?” to set a new one.

## Error pages
error-not-found = This page does not exist
error-not-found-text = Check the address, or go back to where you came from.
error-expired = This took too long
error-expired-text = For your safety, a sign-in ends after a while. Nothing is lost: start over.
error-cookies = Your browser refuses cookies
error-cookies-text = Without a cookie we cannot tell your browser from another. Allow cookies for this site, then try again.
error-foreign = This was not sent from our page
error-foreign-text = To protect you, we did nothing. Start over in this browser.
error-link = This link is no longer good
error-link-text = It was used before, or it is too old. Start over to get a new one.
error-elsewhere = This was begun in another browser
error-elsewhere-text = Go on in the browser where you began, or start over here.
error-form = We could not read what was sent
error-form-text = Something in it is not text. Go back, look at what you typed and send it again.
error-request = The application made a mistake
error-request-text = You did nothing wrong. Go back to the application and try again. If it stays, tell the people who run it.
error-large = That is too much
error-large-text = What was sent is larger than anything we take. Go back and send less.
error-refused = You cannot sign in here
error-refused-text = Your account has no access at the moment. Ask support for help, with the number below.
error-many = Too many requests
error-many-text =
    { $seconds ->
        [one] Wait one second, then try again.
       *[other] Wait { $seconds } seconds, then try again.
    }
error-busy = We are busy
error-busy-text =
    { $seconds ->
        [one] Nothing is lost. Try again in one second.
       *[other] Nothing is lost. Try again in { $seconds } seconds.
    }
error-internal = Something broke on our side
error-internal-text = Nothing was changed. Try again in a moment. If it stays, tell support the number below.
error-request-id = Number of this request:
for-developers = For developers
try-again = Try again
start-over = Start over

## Notices
notice-started-over = That took too long, so we began anew. Please go on here.
notice-send-once-more = Please send it once more.
notice-prove-again = Before you go on, show that it is you.
notice-code-sent = A new code is on its way. Older ones no longer count.
notice-saved = Saved.
notice-password-changed = Your password is changed. You are signed out everywhere else.
notice-email-changed = Your e-mail address is changed. We have told the old one.
notice-session-ended = Signed out there.
notice-sessions-ended =
    { $count ->
        [0] There was nowhere else to sign out.
        [one] Signed out in one other place.
       *[other] Signed out in { $count } other places.
    }
notice-access-ended = { $application } no longer has access.
notice-account-existed = You already had an account with this address. You are signed in to it.

## Account
account-sections = Account
nav-home = Overview
nav-profile = Profile
nav-password = Password
nav-sessions = Sessions
nav-applications = Applications
nav-activity = Activity
greeting = Hello, { $name }
home-lead = Your account at { $tenant }, and how it is protected.
home-no-email = No e-mail address
home-password-since = Set on { $date }
home-no-password = No password yet
home-sessions =
    { $count ->
        [one] Signed in in one place
       *[other] Signed in in { $count } places
    }
home-applications =
    { $count ->
        [0] None connected
        [one] One connected
       *[other] { $count } connected
    }
home-recent = Lately
home-all-activity = See all activity
home-delete = Delete my account
profile-title = Profile
profile-sign-in = How you sign in
profile-about = About you
profile-address = Postal address
change-email-title = Change e-mail address
change-email-now = Your address is <b>{ $email }</b>.
change-email-lead = We send a code to the new address, and a note to the old one.
change-password-title = Change password
change-password-lead = You stay signed in here and are signed out everywhere else.
sessions-title = Where you are signed in
sessions-lead = If you do not know one of these, sign it out and change your password.
sessions-hint = Signing out everywhere, or everywhere else, also ends the access of connected applications.
this-device = this device
session-seen = used { $time }
session-since = since { $date }
sign-out-device = Sign out: { $device }
sign-out-others = Sign out everywhere else
sign-out-everywhere = Sign out everywhere
device = { $browser } on { $system }
device-unknown = Unknown device
applications-title = Connected applications
applications-lead = These applications of others have access to your account, because you allowed it.
applications-empty = No application has access to your account.
application-since = since { $date }
take-back = Take back
activity-title = Activity
activity-lead = If something here was not you, change your password at once.
activity-empty = Nothing has happened yet.
activity-older = Older
activity-registered = Account created
activity-signed-in = Signed in
activity-refused = A sign-in was refused
activity-signed-out = Signed out
activity-session-ended = A session was ended
activity-signed-out-everywhere = Signed out everywhere
activity-password-changed = Password changed
activity-password-reset = Forgotten password replaced
activity-recovery = A new password was asked for
activity-email-changed = E-mail address changed
activity-profile-changed = Profile changed
activity-access-given = An application was given access
activity-access-ended = The access of an application was taken back
activity-token-replayed = An application was signed out, because its key was used twice
activity-suspended = Account suspended
activity-resumed = Account opened again
activity-changed = Account changed
delete-title = Delete account
delete-lead = This cannot be undone.
delete-sessions = You are signed out everywhere.
delete-data = What { $tenant } keeps about you in this account is erased.
delete-applications =
    { $count ->
        [one] One connected application loses its access.
       *[other] { $count } connected applications lose their access.
    }
delete-for-good = Delete for good
keep-account = Keep my account

## Development
mailbox-title = Mailbox
mailbox-lead = In development, mails are not sent but shown here.
mailbox-empty = No mail yet. Register or ask for a code, and it appears here.
mailbox-back = All mails
demo-lead = An application like any other: it sends you to sign in and shows what it learns.
demo-signed-in = Hello, { $name }. You are signed in.
demo-account = Your account
demo-learnt = What the application learnt
demo-id-token = ID token
demo-access-token = Access token
demo-userinfo = Userinfo
demo-requests = What was said

## Mails
mail-good-for =
    { $minutes ->
        [one] It is good for one minute.
       *[other] It is good for { $minutes } minutes.
    }
mail-not-asked = If you did not ask for this, do nothing. Never give the code to anybody.
mail-code-subject = { $code } is your code
mail-verify = Type this code to prove that this address is yours:
mail-verify-for = Type this code to continue to { $application }:
mail-verify-button = Or open this page
mail-recover-subject = { $code } is your code for a new password
mail-recover = Type this code to choose a new password:
mail-recover-button = Choose a new password
mail-recover-not-asked = If you did not ask for this, do nothing: your password stays as it is. Never give the code to anybody.
mail-change-email = Type this code to make this the address of your account:
mail-delete-code-subject = { $code } is your code to delete your account
mail-delete-code = Type this code to confirm that your account shall be deleted:
mail-delete-not-asked = If you did not ask for this, sign in and change your password. Never give the code to anybody.
mail-email-changed-subject = Your e-mail address was changed
mail-email-changed = The address of your account is now { $new }, since { $time }.
mail-email-changed-else = If it was not you, somebody else has your account. Get help at once:
mail-get-help = Get help
mail-password-changed-subject = Your password was changed
mail-password-changed = The password of your account was changed on { $time }.
mail-password-changed-else = If it was not you, choose a new password at once:
mail-new-device-subject = A new device signed in
mail-new-device = Somebody signed in to your account on a device that we do not know:
mail-new-device-from = From { $network }, on { $time }.
mail-new-device-else = If it was you, all is well. If not, press the button: we sign out every device and ask for a new password.
mail-not-me = This was not me
mail-deleted-subject = Your account is deleted
mail-deleted = Your account was deleted on { $time }, and what we kept about you in it is being erased.
mail-deleted-more = You can create a new one with the same address at any time.
mail-replay-subject = We signed you out of { $application }
mail-replay = The key with which { $application } stays connected was used twice on { $time }. Somebody may have copied it, so we ended the connection.
mail-replay-else = Sign in to the application again. If this happens more than once, look at your sessions:
mail-see-sessions = See my sessions
