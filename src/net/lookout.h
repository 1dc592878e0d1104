#pragma once
// Begins to watch apps whose answers take longer than a moment: a watch costs a system call, and most answers are over before it
// could tell anything. Owned by Server. One worker's thread.
#include "net/task.h"

#include <chrono>
#include <functional>
#include <list>

namespace fairlead::net {

class Lookout {
 public:
  explicit Lookout(const Executor& executor) : timer_(executor) {}
  Lookout(const Lookout&) = delete;
  Lookout& operator=(const Lookout&) = delete;

  /// An app that is soon to be watched. Leaving in time costs nothing.
  class Turn {
   public:
    Turn() = default;
    ~Turn() { leave(); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    /// `begin` is called once, 10 to 20 ms from now.
    void wait(Lookout& lookout, std::function<void()> begin);
    void leave();

   private:
    friend class Lookout;
    struct Waiting {
      SteadyTime since;
      Turn* turn;
      std::function<void()> begin;
    };
    Lookout* lookout_ = nullptr;  ///< null: not in the list
    std::list<Waiting>::iterator at_;
  };

 private:
  static constexpr std::chrono::milliseconds moment{10};
  void come_again();
  void look();

  Timer timer_;
  bool timer_runs_ = false;
  std::list<Turn::Waiting> waiting_;  ///< in the order in which they came
};

}  // namespace fairlead::net
