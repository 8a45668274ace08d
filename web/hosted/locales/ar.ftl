# العربية. <b> و <a> هما العلامتان الوحيدتان.
verbatim = { $text }
title-error = خطأ: { $title }
languages = اللغات
help = المساعدة
privacy = الخصوصية
terms = الشروط
optional = (اختياري)
show = إظهار
hide = إخفاء
change = تغيير
continue = متابعة
save = حفظ
cancel = إلغاء
development = بيئة التطوير

## التواريخ
month =
    { $month ->
        [1] يناير
        [2] فبراير
        [3] مارس
        [4] أبريل
        [5] مايو
        [6] يونيو
        [7] يوليو
        [8] أغسطس
        [9] سبتمبر
        [10] أكتوبر
        [11] نوفمبر
       *[12] ديسمبر
    }
date = { $day } { $month } { $year }
date-time = { $date }، { $time } بالتوقيت العالمي
ago-now = الآن
ago-minutes =
    { $count ->
        [zero] قبل أقل من دقيقة
        [one] قبل دقيقة واحدة
        [two] قبل دقيقتين
        [few] قبل { $count } دقائق
        [many] قبل { $count } دقيقة
       *[other] قبل { $count } دقيقة
    }
ago-hours =
    { $count ->
        [zero] قبل أقل من ساعة
        [one] قبل ساعة واحدة
        [two] قبل ساعتين
        [few] قبل { $count } ساعات
        [many] قبل { $count } ساعة
       *[other] قبل { $count } ساعة
    }
ago-days =
    { $count ->
        [zero] اليوم
        [one] أمس
        [two] قبل يومين
        [few] قبل { $count } أيام
        [many] قبل { $count } يومًا
       *[other] قبل { $count } يوم
    }

## الحقول
field-identifier = البريد الإلكتروني أو اسم المستخدم
field-password = كلمة المرور
field-new-password = كلمة المرور الجديدة
field-current-password = كلمة المرور الحالية
field-code = الرمز
field-email = عنوان البريد الإلكتروني
field-new-email = عنوان البريد الإلكتروني الجديد
field-username = اسم المستخدم
field-name = الاسم
field-given-name = الاسم الأول
field-family-name = اسم العائلة
field-locale = اللغة
field-street = الشارع والرقم
field-postal-code = الرمز البريدي
field-locality = المدينة أو البلدة
field-region = الولاية أو المنطقة
field-country = البلد
locale-of-browser = حسب إعداد المتصفح
password-rule =
    { $count ->
        [zero] بضع كلمات لا رابط بينها تصنع كلمة مرور جيدة.
        [one] حرف واحد على الأقل. بضع كلمات لا رابط بينها تصنع كلمة مرور جيدة.
        [two] حرفان على الأقل. بضع كلمات لا رابط بينها تصنع كلمة مرور جيدة.
        [few] { $count } أحرف على الأقل. بضع كلمات لا رابط بينها تصنع كلمة مرور جيدة.
        [many] { $count } حرفًا على الأقل. بضع كلمات لا رابط بينها تصنع كلمة مرور جيدة.
       *[other] { $count } حرف على الأقل. بضع كلمات لا رابط بينها تصنع كلمة مرور جيدة.
    }

## تسجيل الدخول
identify-title = تسجيل الدخول
to-continue = للمتابعة إلى { $application }
new-here = جديد هنا؟
create-account = إنشاء حساب
forgot-password = هل نسيت كلمة المرور؟
password-title = أدخل كلمة المرور
sign-in = تسجيل الدخول
not-you = لست أنت؟
another-way = طريقة أخرى
code-title = تفقّد بريدك
code-sent =
    { $minutes ->
        [zero] أرسلنا رمزًا من ستة أرقام إلى <b>{ $destination }</b>. صلاحيته أقل من دقيقة.
        [one] أرسلنا رمزًا من ستة أرقام إلى <b>{ $destination }</b>. صلاحيته دقيقة واحدة.
        [two] أرسلنا رمزًا من ستة أرقام إلى <b>{ $destination }</b>. صلاحيته دقيقتان.
        [few] أرسلنا رمزًا من ستة أرقام إلى <b>{ $destination }</b>. صلاحيته { $minutes } دقائق.
        [many] أرسلنا رمزًا من ستة أرقام إلى <b>{ $destination }</b>. صلاحيته { $minutes } دقيقة.
       *[other] أرسلنا رمزًا من ستة أرقام إلى <b>{ $destination }</b>. صلاحيته { $minutes } دقيقة.
    }
code-nothing = لم يصلك شيء؟ انظر في مجلد الرسائل غير المرغوب فيها.
send-again = إرسال مرة أخرى
resend-in = (بعد <b>{ $time }</b>)
another-address = استخدام عنوان آخر
another-method = استخدام طريقة أخرى
choose-title = اختر حسابًا
another-account = استخدام حساب آخر

## الموافقة
consent-title = يطلب { $application } الوصول
signed-in-as = مسجَّل الدخول باسم { $identifier }
scope-openid = معرفة من أنت
scope-openid-detail = معرّف يدل عليك
scope-profile = الاطلاع على ملفك الشخصي
scope-profile-detail = الاسم واللغة
scope-email = الاطلاع على بريدك الإلكتروني
scope-phone = الاطلاع على رقم هاتفك
scope-address = الاطلاع على عنوانك البريدي
scope-offline = البقاء متصلًا
scope-offline-detail = حتى عندما لا تستخدم التطبيق
consent-until = تسري الموافقة إلى أن تسحبها من حسابك.
consent-days =
    { $days ->
        [zero] تسري الموافقة إلى أن تسحبها من حسابك.
        [one] تسري الموافقة لمدة يوم واحد، أو إلى أن تسحبها من حسابك.
        [two] تسري الموافقة لمدة يومين، أو إلى أن تسحبها من حسابك.
        [few] تسري الموافقة لمدة { $days } أيام، أو إلى أن تسحبها من حسابك.
        [many] تسري الموافقة لمدة { $days } يومًا، أو إلى أن تسحبها من حسابك.
       *[other] تسري الموافقة لمدة { $days } يوم، أو إلى أن تسحبها من حسابك.
    }
allow = سماح
deny = رفض
consent-own-rules = لدى { $application } قواعده الخاصة:
privacy-policy = سياسة الخصوصية
terms-of-service = شروط الخدمة

## حساب جديد، كلمة مرور جديدة
register-title = إنشاء حساب
register-for = للمتابعة إلى { $application }
register-lead = سنرسل رمزًا إلى بريدك الإلكتروني.
have-account = لديك حساب بالفعل؟
details-title = أوشكنا على الانتهاء
recover-title = هل نسيت كلمة المرور؟
recover-lead = اكتب بريدك الإلكتروني أو اسم المستخدم. إن كان هناك حساب فسنرسل رمزًا إلى عنوانه.
back-to-sign-in = العودة إلى تسجيل الدخول
new-password-title = اختر كلمة مرور جديدة
save-password = حفظ كلمة المرور

## روابط الرسائل
link-title = هل كنت أنت؟
link-lead = أكِّد أن <b>{ $destination }</b> هو عنوانك، ثم تابع.
link-confirm = نعم، متابعة
link-not-you = إن لم تطلب ذلك فأغلق هذه الصفحة، ولن يحدث شيء.
link-other-title = اكتب هذا الرمز حيث بدأت
link-other-lead = لقد بدأت في متصفح آخر أو على جهاز آخر. اكتب هذا الرمز هناك:
link-other-code = اكتب هذا الرمز حيث بدأت: { $code }
link-other-hint = لا تعطِ هذا الرمز لأحد، ولا لنا نحن.
link-begin-lead = ليس في متناولك؟
link-begin = ابدأ من هنا

## تسجيل الخروج
logout-title = تسجيل الخروج؟
logout-for = يطلب { $application } تسجيل خروجك.
logout-lead = سيُسجَّل خروجك في هذا المتصفح.
logout-as = أنت مسجَّل الدخول باسم { $identifier }.
sign-out = تسجيل الخروج
stay-signed-in = البقاء مسجَّل الدخول
signed-out-title = سُجِّل خروجك
signed-out-lead = إن كان غيرك يستخدم هذا الجهاز فأغلق المتصفح.
sign-in-again = تسجيل الدخول مرة أخرى
back-to = العودة إلى { $application }
deleted-title = حُذف حسابك
deleted-lead = أكّدنا ذلك برسالة إلى بريدك. يمكنك إغلاق هذه الصفحة.

## العودة إلى التطبيق
form-post-title = لحظة من فضلك
form-post-for = نعيدك الآن إلى { $application }. إن لم يحدث شيء فاضغط الزر.
form-post-lead = نعيدك الآن إلى التطبيق. إن لم يحدث شيء فاضغط الزر.

## أخطاء الحقول: كل واحد يقول ما العمل
error-identifier-missing = اكتب بريدك الإلكتروني أو اسم المستخدم.
error-identifier-invalid = هذا ليس بريدًا إلكترونيًا ولا اسم مستخدم. تحقّق من الكتابة.
error-password-missing = اكتب كلمة المرور.
error-password-wrong = كلمة المرور غير مطابقة. حاول مرة أخرى، أو اختر «هل نسيت كلمة المرور؟».
error-current-password = هذه ليست كلمة مرورك الحالية. حاول مرة أخرى.
error-password-common = يستخدم كثيرون كلمة المرور هذه فيسهل تخمينها. اختر غيرها.
error-password-similar = كلمة المرور هذه قريبة جدًا من اسمك أو عنوانك. اختر غيرها.
error-password-same = هذه كلمة مرورك الحالية نفسها. اختر كلمة جديدة.
error-password-short =
    { $count ->
        [zero] كلمة المرور قصيرة جدًا. اختر كلمة أطول.
        [one] كلمة المرور قصيرة جدًا. استخدم حرفًا واحدًا على الأقل.
        [two] كلمة المرور قصيرة جدًا. استخدم حرفين على الأقل.
        [few] كلمة المرور قصيرة جدًا. استخدم { $count } أحرف على الأقل.
        [many] كلمة المرور قصيرة جدًا. استخدم { $count } حرفًا على الأقل.
       *[other] كلمة المرور قصيرة جدًا. استخدم { $count } حرف على الأقل.
    }
error-password-long =
    { $count ->
        [zero] كلمة المرور طويلة جدًا. اختر كلمة أقصر.
        [one] كلمة المرور طويلة جدًا. استخدم حرفًا واحدًا على الأكثر.
        [two] كلمة المرور طويلة جدًا. استخدم حرفين على الأكثر.
        [few] كلمة المرور طويلة جدًا. استخدم { $count } أحرف على الأكثر.
        [many] كلمة المرور طويلة جدًا. استخدم { $count } حرفًا على الأكثر.
       *[other] كلمة المرور طويلة جدًا. استخدم { $count } حرف على الأكثر.
    }
error-code-missing = اكتب الرمز الوارد في الرسالة.
error-code-wrong =
    { $count ->
        [zero] الرمز غير مطابق. اطلب رمزًا جديدًا.
        [one] الرمز غير مطابق. بقيت لك محاولة واحدة.
        [two] الرمز غير مطابق. بقيت لك محاولتان.
        [few] الرمز غير مطابق. بقيت لك { $count } محاولات.
        [many] الرمز غير مطابق. بقيت لك { $count } محاولة.
       *[other] الرمز غير مطابق. بقيت لك { $count } محاولة.
    }
error-code-expired = لم يعد هذا الرمز صالحًا. اطلب إرسال رمز جديد.
error-code-used-up = جُرِّب هذا الرمز مرات كثيرة. اطلب إرسال رمز جديد.
error-code-wait = أرسلنا رمزًا قبل قليل. انتظر لحظة قبل أن تطلب رمزًا آخر.
error-email-missing = اكتب بريدك الإلكتروني.
error-email-invalid = هذا ليس بريدًا إلكترونيًا. يكون على هذا الشكل: name@example.com.
error-email-taken = هذا العنوان تابع لحساب آخر. استخدم عنوانًا آخر.
error-email-unchanged = هذا عنوانك الحالي نفسه. اكتب العنوان الجديد.
error-username-taken = اسم المستخدم هذا مأخوذ. اختر غيره.
error-username-invalid = استخدم من 3 إلى 40 حرفًا أو رقمًا أو نقطة أو شرطة أو شرطة سفلية.
error-too-long =
    { $count ->
        [zero] هذا النص طويل جدًا. اختصره.
        [one] هذا النص طويل جدًا. استخدم حرفًا واحدًا على الأكثر.
        [two] هذا النص طويل جدًا. استخدم حرفين على الأكثر.
        [few] هذا النص طويل جدًا. استخدم { $count } أحرف على الأكثر.
        [many] هذا النص طويل جدًا. استخدم { $count } حرفًا على الأكثر.
       *[other] هذا النص طويل جدًا. استخدم { $count } حرف على الأكثر.
    }
error-unreadable = في النص علامات لا يمكن عرضها. اكتبه من جديد.
error-choice = هذا الخيار غير موجود. اختر واحدًا من القائمة.
error-too-many =
    { $minutes ->
        [zero] محاولات كثيرة. انتظر قليلًا، أو اختر كلمة مرور جديدة.
        [one] محاولات كثيرة. انتظر دقيقة واحدة، أو اختر كلمة مرور جديدة.
        [two] محاولات كثيرة. انتظر دقيقتين، أو اختر كلمة مرور جديدة.
        [few] محاولات كثيرة. انتظر { $minutes } دقائق، أو اختر كلمة مرور جديدة.
        [many] محاولات كثيرة. انتظر { $minutes } دقيقة، أو اختر كلمة مرور جديدة.
       *[other] محاولات كثيرة. انتظر { $minutes } دقيقة، أو اختر كلمة مرور جديدة.
    }
error-wait =
    { $minutes ->
        [zero] محاولات كثيرة. انتظر قليلًا ثم حاول مرة أخرى.
        [one] محاولات كثيرة. انتظر دقيقة واحدة ثم حاول مرة أخرى.
        [two] محاولات كثيرة. انتظر دقيقتين ثم حاول مرة أخرى.
        [few] محاولات كثيرة. انتظر { $minutes } دقائق ثم حاول مرة أخرى.
        [many] محاولات كثيرة. انتظر { $minutes } دقيقة ثم حاول مرة أخرى.
       *[other] محاولات كثيرة. انتظر { $minutes } دقيقة ثم حاول مرة أخرى.
    }
error-code-form = يتكون الرمز من ستة أرقام. انظر في الرسالة مرة أخرى.
error-password-expired = يجب استبدال كلمة المرور هذه. اختر «هل نسيت كلمة المرور؟» لتعيين كلمة مرور جديدة.

## صفحات الخطأ
error-not-found = هذه الصفحة غير موجودة
error-not-found-text = تحقّق من العنوان، أو عُد من حيث أتيت.
error-expired = استغرق هذا وقتًا طويلًا
error-expired-text = حفاظًا على أمانك ينتهي تسجيل الدخول بعد مدة. لم يضِع شيء: ابدأ من جديد.
error-cookies = متصفحك يرفض ملفات تعريف الارتباط
error-cookies-text = من دون هذه الملفات لا يمكننا تمييز متصفحك من غيره. اسمح بها لهذا الموقع ثم حاول مرة أخرى.
error-foreign = لم يُرسَل هذا من صفحتنا
error-foreign-text = حمايةً لك لم نفعل شيئًا. ابدأ من جديد في هذا المتصفح.
error-link = لم يعد هذا الرابط صالحًا
error-link-text = استُخدم من قبل أو صار قديمًا. ابدأ من جديد لتحصل على رابط آخر.
error-elsewhere = بدأ هذا في متصفح آخر
error-elsewhere-text = تابع في المتصفح الذي بدأت فيه، أو ابدأ من جديد هنا.
error-form = لم نتمكن من قراءة ما أُرسل
error-form-text = فيه ما ليس نصًا. ارجع وراجع ما كتبته ثم أرسله مرة أخرى.
error-request = أخطأ التطبيق
error-request-text = لم تخطئ أنت في شيء. عُد إلى التطبيق وحاول مرة أخرى. إن تكرر ذلك فأخبر القائمين عليه.
error-large = هذا أكثر مما يلزم
error-large-text = ما أُرسل أكبر من أي شيء نقبله. عُد وأرسل أقل.
error-refused = لا يمكنك تسجيل الدخول هنا
error-refused-text = ليس لحسابك وصول في الوقت الحالي. اطلب المساعدة من الدعم واذكر الرقم أدناه.
error-many = طلبات كثيرة جدًا
error-many-text =
    { $seconds ->
        [zero] حاول مرة أخرى الآن.
        [one] انتظر ثانية واحدة ثم حاول مرة أخرى.
        [two] انتظر ثانيتين ثم حاول مرة أخرى.
        [few] انتظر { $seconds } ثوانٍ ثم حاول مرة أخرى.
        [many] انتظر { $seconds } ثانية ثم حاول مرة أخرى.
       *[other] انتظر { $seconds } ثانية ثم حاول مرة أخرى.
    }
error-busy = نحن مشغولون الآن
error-busy-text =
    { $seconds ->
        [zero] لم يضِع شيء. حاول مرة أخرى الآن.
        [one] لم يضِع شيء. حاول مرة أخرى بعد ثانية واحدة.
        [two] لم يضِع شيء. حاول مرة أخرى بعد ثانيتين.
        [few] لم يضِع شيء. حاول مرة أخرى بعد { $seconds } ثوانٍ.
        [many] لم يضِع شيء. حاول مرة أخرى بعد { $seconds } ثانية.
       *[other] لم يضِع شيء. حاول مرة أخرى بعد { $seconds } ثانية.
    }
error-internal = حدث خلل لدينا
error-internal-text = لم يتغير شيء. حاول مرة أخرى بعد قليل. إن تكرر ذلك فأخبر الدعم بالرقم أدناه.
error-request-id = رقم هذا الطلب:
for-developers = للمطوّرين
try-again = حاول مرة أخرى
start-over = ابدأ من جديد

## إشعارات
notice-started-over = استغرق ذلك وقتًا طويلًا فبدأنا من جديد. تابع من هنا من فضلك.
notice-send-once-more = أرسله مرة أخرى من فضلك.
notice-prove-again = قبل المتابعة، أثبت أنك أنت.
notice-code-sent = رمز جديد في الطريق إليك. الرموز السابقة لم تعد صالحة.
notice-saved = تم الحفظ.
notice-password-changed = تغيّرت كلمة مرورك، وسُجِّل خروجك من كل مكان آخر.
notice-email-changed = تغيّر بريدك الإلكتروني، وأبلغنا العنوان القديم بذلك.
notice-session-ended = سُجِّل خروجك هناك.
notice-sessions-ended =
    { $count ->
        [zero] لم يكن هناك مكان آخر لتسجيل الخروج منه.
        [one] سُجِّل خروجك من مكان آخر واحد.
        [two] سُجِّل خروجك من مكانين آخرين.
        [few] سُجِّل خروجك من { $count } أماكن أخرى.
        [many] سُجِّل خروجك من { $count } مكانًا آخر.
       *[other] سُجِّل خروجك من { $count } مكان آخر.
    }
notice-access-ended = لم يعد لدى { $application } وصول.
notice-account-existed = كان لديك حساب بهذا العنوان، وأنت الآن مسجَّل الدخول إليه.

## الحساب
account-sections = الحساب
nav-home = نظرة عامة
nav-profile = الملف الشخصي
nav-password = كلمة المرور
nav-sessions = الجلسات
nav-applications = التطبيقات
nav-activity = النشاط
greeting = مرحبًا، { $name }
home-lead = حسابك لدى { $tenant }، وكيف نحميه.
home-no-email = لا بريد إلكتروني
home-password-since = حُدِّدت في { $date }
home-no-password = لا كلمة مرور بعد
home-sessions =
    { $count ->
        [zero] غير مسجَّل الدخول في أي مكان
        [one] مسجَّل الدخول في مكان واحد
        [two] مسجَّل الدخول في مكانين
        [few] مسجَّل الدخول في { $count } أماكن
        [many] مسجَّل الدخول في { $count } مكانًا
       *[other] مسجَّل الدخول في { $count } مكان
    }
home-applications =
    { $count ->
        [zero] لا تطبيقات متصلة
        [one] تطبيق واحد متصل
        [two] تطبيقان متصلان
        [few] { $count } تطبيقات متصلة
        [many] { $count } تطبيقًا متصلًا
       *[other] { $count } تطبيق متصل
    }
home-recent = آخر النشاط
home-all-activity = عرض كل النشاط
home-delete = حذف حسابي
profile-title = الملف الشخصي
profile-sign-in = كيف تسجّل الدخول
profile-about = عنك
profile-address = العنوان البريدي
change-email-title = تغيير البريد الإلكتروني
change-email-now = عنوانك هو <b>{ $email }</b>.
change-email-lead = نرسل رمزًا إلى العنوان الجديد وإشعارًا إلى القديم.
change-password-title = تغيير كلمة المرور
change-password-lead = تبقى مسجَّل الدخول هنا، ويُسجَّل خروجك من كل مكان آخر.
sessions-title = أين أنت مسجَّل الدخول
sessions-lead = إن كنت لا تعرف إحداها فسجّل خروجها وغيّر كلمة مرورك.
sessions-hint = تسجيل الخروج من كل مكان، أو من كل مكان آخر، ينهي أيضًا وصول التطبيقات المتصلة.
this-device = هذا الجهاز
session-seen = آخر استخدام { $time }
session-since = منذ { $date }
sign-out-device = تسجيل الخروج: { $device }
sign-out-others = تسجيل الخروج من كل مكان آخر
sign-out-everywhere = تسجيل الخروج من كل مكان
device = { $browser } على { $system }
device-unknown = جهاز غير معروف
applications-title = التطبيقات المتصلة
applications-lead = لهذه التطبيقات التابعة لغيرنا وصول إلى حسابك لأنك سمحت بذلك.
applications-empty = لا يملك أي تطبيق وصولًا إلى حسابك.
application-since = منذ { $date }
take-back = سحب الوصول
activity-title = النشاط
activity-lead = إن لم يكن شيء من هذا منك فغيّر كلمة مرورك فورًا.
activity-empty = لم يحدث شيء بعد.
activity-older = الأقدم
activity-registered = أُنشئ الحساب
activity-signed-in = تسجيل دخول
activity-refused = رُفض تسجيل دخول
activity-signed-out = تسجيل خروج
activity-session-ended = أُنهيت جلسة
activity-signed-out-everywhere = تسجيل خروج من كل مكان
activity-password-changed = تغيّرت كلمة المرور
activity-password-reset = استُبدلت كلمة مرور منسية
activity-recovery = طُلبت كلمة مرور جديدة
activity-email-changed = تغيّر البريد الإلكتروني
activity-profile-changed = تغيّر الملف الشخصي
activity-access-given = أُعطي تطبيق حق الوصول
activity-access-ended = سُحب وصول تطبيق
activity-token-replayed = سُجِّل خروج تطبيق لأن مفتاحه استُخدم مرتين
activity-suspended = أُوقف الحساب
activity-resumed = أُعيد فتح الحساب
activity-changed = تغيّر الحساب
delete-title = حذف الحساب
delete-lead = لا يمكن التراجع عن هذا.
delete-sessions = يُسجَّل خروجك من كل مكان.
delete-data = يُمحى ما يحتفظ به { $tenant } عنك في هذا الحساب.
delete-applications =
    { $count ->
        [zero] لا يفقد أي تطبيق وصوله.
        [one] يفقد تطبيق متصل واحد وصوله.
        [two] يفقد تطبيقان متصلان وصولهما.
        [few] تفقد { $count } تطبيقات متصلة وصولها.
        [many] يفقد { $count } تطبيقًا متصلًا وصوله.
       *[other] يفقد { $count } تطبيق متصل وصوله.
    }
delete-for-good = حذف نهائي
keep-account = الإبقاء على حسابي

## التطوير
mailbox-title = صندوق البريد
mailbox-lead = في بيئة التطوير لا تُرسَل الرسائل بل تُعرض هنا.
mailbox-empty = لا رسائل بعد. أنشئ حسابًا أو اطلب رمزًا فتظهر الرسالة هنا.
mailbox-back = كل الرسائل
demo-lead = تطبيق كأي تطبيق آخر: يرسلك لتسجيل الدخول ويعرض ما يعرفه عنك.
demo-signed-in = مرحبًا، { $name }. أنت مسجَّل الدخول.
demo-account = حسابك
demo-learnt = ما عرفه التطبيق
demo-id-token = رمز الهوية (ID token)
demo-access-token = رمز الوصول (access token)
demo-userinfo = معلومات المستخدم (userinfo)
demo-requests = ما جرى تبادله

## الرسائل
mail-good-for =
    { $minutes ->
        [zero] صلاحيته أقل من دقيقة.
        [one] صلاحيته دقيقة واحدة.
        [two] صلاحيته دقيقتان.
        [few] صلاحيته { $minutes } دقائق.
        [many] صلاحيته { $minutes } دقيقة.
       *[other] صلاحيته { $minutes } دقيقة.
    }
mail-not-asked = إن لم تطلب هذا فلا تفعل شيئًا. لا تعطِ الرمز لأحد.
mail-code-subject = { $code } هو رمزك
mail-verify = اكتب هذا الرمز لتثبت أن هذا العنوان لك:
mail-verify-for = اكتب هذا الرمز للمتابعة إلى { $application }:
mail-verify-button = أو افتح هذه الصفحة
mail-recover-subject = { $code } هو رمزك لكلمة مرور جديدة
mail-recover = اكتب هذا الرمز لتختار كلمة مرور جديدة:
mail-recover-button = اختيار كلمة مرور جديدة
mail-recover-not-asked = إن لم تطلب هذا فلا تفعل شيئًا: تبقى كلمة مرورك كما هي. لا تعطِ الرمز لأحد.
mail-change-email = اكتب هذا الرمز ليصير هذا العنوان عنوان حسابك:
mail-delete-code-subject = { $code } هو رمزك لحذف حسابك
mail-delete-code = اكتب هذا الرمز لتؤكد أنك تريد حذف حسابك:
mail-delete-not-asked = إن لم تطلب هذا فسجّل الدخول وغيّر كلمة مرورك. لا تعطِ الرمز لأحد.
mail-email-changed-subject = تغيّر بريدك الإلكتروني
mail-email-changed = عنوان حسابك الآن هو { $new }، منذ { $time }.
mail-email-changed-else = إن لم تكن أنت من فعل ذلك فقد استولى غيرك على حسابك. اطلب المساعدة فورًا:
mail-get-help = طلب المساعدة
mail-password-changed-subject = تغيّرت كلمة مرورك
mail-password-changed = تغيّرت كلمة مرور حسابك في { $time }.
mail-password-changed-else = إن لم تكن أنت من فعل ذلك فاختر كلمة مرور جديدة فورًا:
mail-new-device-subject = تسجيل دخول من جهاز جديد
mail-new-device = سُجِّل الدخول إلى حسابك من جهاز لا نعرفه:
mail-new-device-from = من { $network }، في { $time }.
mail-new-device-else = إن كنت أنت فكل شيء على ما يرام. وإلا فاضغط الزر: نسجّل خروج كل الأجهزة ونطلب كلمة مرور جديدة.
mail-not-me = لم أكن أنا
mail-deleted-subject = حُذف حسابك
mail-deleted = حُذف حسابك في { $time }، ويجري محو ما احتفظنا به عنك فيه.
mail-deleted-more = يمكنك إنشاء حساب جديد بالعنوان نفسه في أي وقت.
mail-replay-subject = سجّلنا خروجك من { $application }
mail-replay = استُخدم المفتاح الذي يبقى به { $application } متصلًا مرتين في { $time }. ربما نسخه أحد، لذلك أنهينا الاتصال.
mail-replay-else = سجّل الدخول إلى التطبيق مرة أخرى. إن تكرر ذلك فانظر إلى جلساتك:
mail-see-sessions = عرض جلساتي
